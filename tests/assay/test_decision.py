"""The criteria of OECD TG 487: met, not met, not answerable."""

import json

import numpy as np
import pytest
from scipy import stats
from tests.assay.plates import DOSES, counts

from nucrec.assay import HistoricalControls, save_report, summarize
from nucrec.errors import DatasetError, InvalidParameterError

RATES = [4.1, 5.0, 6.2, 3.9, 5.5, 4.8, 5.1, 6.0, 4.4, 5.7]
FLAT = {0: [9, 12, 8], 1: [8, 11, 10], 2: [10, 9, 9], 4: [11, 8, 10]}


def answers(decision) -> list[str]:
    return [criterion.answer for criterion in decision.criteria]


def test_clearly_positive():
    decision = summarize(counts(DOSES)).decision({"rate": RATES})
    assert decision.verdict == "clearly positive"
    assert answers(decision) == ["met"] * 3
    assert decision.needed == ()


def test_clearly_negative():
    decision = summarize(counts(FLAT)).decision({"rate": RATES})
    assert decision.verdict == "clearly negative"
    assert answers(decision) == ["not met"] * 3


def test_equivocal():
    decision = summarize(counts(DOSES)).decision({"rate": [15 + rate for rate in RATES]})
    assert answers(decision) == ["met", "met", "not met"]
    assert decision.verdict == "equivocal"


def test_nothing_is_negative_with_few_cells_or_doses():
    few = summarize(counts(FLAT, scored=600)).decision({"rate": [3 * rate for rate in RATES]})
    assert few.verdict == "not answerable"
    assert any("200 more cells of 1" in needed for needed in few.needed)
    two = summarize(counts({k: FLAT[k] for k in (0, 1, 2)})).decision({"rate": RATES})
    assert two.verdict == "not answerable"
    assert any("3 analysable doses" in needed for needed in two.needed)


def test_two_wells_are_not_answerable_however_small_the_pooled_p():
    decision = summarize(counts({k: wells[:2] for k, wells in DOSES.items()})).decision()
    assert decision.verdict == "not answerable"
    assert answers(decision) == ["not answerable"] * 3
    assert "pooled cells alone: p < 0.0001" in decision.criteria[0].reason
    assert any("at least 3 units" in needed for needed in decision.needed)


def test_no_control_and_no_doses_are_not_answerable():
    table = {"well": list("abc"), "condition": ["A"] * 3, "scored": [2000] * 3, "positive": [9] * 3}
    decision = summarize(table).decision()
    assert answers(decision) == ["not answerable"] * 3


def test_a_downturn_hides_no_trend():
    decision = summarize(
        counts({**FLAT, 1: [15, 18, 16], 2: [26, 24, 25], 4: [2, 1, 3]})
    ).decision()
    assert decision.criteria[1].answer == "not answerable"
    assert "closer" in decision.criteria[1].needed


def test_limits_of_historical_controls():
    roots = np.sqrt(RATES)
    half = stats.t.ppf(0.975, 9) * roots.std(ddof=1) * np.sqrt(1.1)
    reason = summarize(counts(DOSES)).decision({"rate": RATES}).criteria[2].reason
    low, high = (roots.mean() - half) ** 2, (roots.mean() + half) ** 2
    assert f"limits {low:.1f} to {high:.1f}" in reason


def test_historical_counts_and_files(tmp_path):
    path = tmp_path / "historical.csv"
    rows = "\n".join(f"2000,{2 * rate:.0f}" for rate in RATES)
    path.write_text(f"scored,micronucleated\n{rows}\n", encoding="utf-8")
    of_file = summarize(counts(DOSES)).decision(path)
    rounded = [round(2 * rate) / 2 for rate in RATES]
    assert of_file == summarize(counts(DOSES)).decision({"rate": rounded})


def test_few_historical_controls_are_not_answerable():
    decision = summarize(counts(DOSES)).decision({"rate": RATES[:9]})
    assert answers(decision) == ["met", "met", "not answerable"]
    assert "at least 10" in decision.needed[0]


@pytest.mark.parametrize(
    ("historical", "words"),
    [
        ({"rate": [5.0, -1.0]}, "row 2: rate must be a number from 0 to 1000"),
        ({"rate": ["5", "x"]}, "row 2: rate must be a number"),
        ({"scored": [10, 10], "micronucleated": [1, 11]}, "row 2: micronucleated must be at most"),
        ({"scored": [10, 0], "micronucleated": [1, 0]}, "row 2: scored must be at least 1"),
        ({"rate (%)": [0.5, 101]}, "row 2: rate .* must be a number from 0 to 100 "),
        ({"rate (MN/cell)": [0.5, 0.6]}, "the unit of 'rate .MN/cell.' is unknown"),
        ({"other": [1]}, "historical controls need"),
    ],
)
def test_bad_historical_controls(historical, words):
    with pytest.raises(DatasetError, match=words):
        summarize(counts(DOSES)).decision(historical)


def test_a_control_outside_of_the_historical_ones_is_said():
    reason = summarize(counts(DOSES)).decision({"rate": [15 + r for r in RATES]}).criteria[2].reason
    assert "The concurrent control, 4.8, is outside" in reason


def test_shown_without_the_word():
    decision = summarize(counts(DOSES)).decision({"rate": RATES})
    shown = (str(decision), decision._repr_html_(), decision.to_markdown())
    assert all("clearly positive by these criteria" in text for text in shown)
    assert not any("genotoxic" in text for text in shown)
    assert json.loads(json.dumps(decision.to_dict()))["criteria"][0]["answer"] == "met"


def test_bad_level():
    with pytest.raises(InvalidParameterError, match="alpha"):
        summarize(counts(DOSES)).decision(alpha=0.7)


@pytest.mark.parametrize(
    ("name", "per_1000"),
    [
        ("rate", 1),
        ("rate (per 1000)", 1),
        ("rate_per_1000", 1),
        ("Rate [MN per 1,000 cells]", 1),
        ("rate (‰)", 1),
        ("rate (%)", 10),
        ("rate %", 10),
        ("rate (percent)", 10),
        ("rate_percent", 10),
        ("rate (per 100 cells)", 10),
        ("rate (per cell)", None),
    ],
)
def test_the_unit_of_historical_rates_is_that_of_the_header(name, per_1000, tmp_path):
    rates = [0.5, 0.6, 0.4] * 4
    path = tmp_path / "historical.csv"
    path.write_text("\n".join([f'"{name}"', *map(str, rates)]), encoding="utf-8")
    for table in ({name: rates}, path):
        if per_1000 is None:
            with pytest.raises(DatasetError, match="unit"):
                HistoricalControls.from_table(table)
        else:
            found = HistoricalControls.from_table(table)
            assert found.mean == pytest.approx(0.5 * per_1000)


def test_historical_rates_that_are_all_the_same():
    historical = HistoricalControls.from_table({"rate": [5.0] * 12})
    assert historical.contains(5.0)
    assert not historical.is_below(5.0)
    assert historical.is_below(5.001)
    assert not historical.contains(4.999)


def test_a_control_far_from_the_historical_ones_asks_for_their_unit():
    near, far = (
        summarize(counts(DOSES))
        .decision({"rate": [rate * by for rate in RATES]})
        .criteria[2]
        .reason
        for by in (2, 0.1)
    )
    assert "is outside these limits itself" in near
    assert "per 1000 cells?" not in near
    assert "more than 3 times away: are the historical rates per 1000 cells?" in far


def test_a_verdict_on_few_cells_says_so_beside_it(tmp_path):
    assay = summarize(counts(DOSES, scored=600))
    historical = {"rate": [3 * rate for rate in RATES]}
    decision = assay.decision(historical)
    told = "with fewer than the 2000 cells of OECD TG 487: 0 (1800), 1 (1800), 2 (1800), 4 (1800)"
    assert decision.verdict == "clearly positive"
    assert decision.remarks == (told,)
    assert str(decision).startswith(f"clearly positive by these criteria, {told}")
    assert decision.to_dict()["remarks"] == [told]
    save_report(assay, tmp_path / "report", historical=historical)
    page = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    assert page.count(told) >= 2


def test_with_absurdly_few_cells_nothing_is_answered():
    found = {0: [0] * 4, 1: [1] * 4, 2: [2] * 4, 4: [4] * 4}
    decision = summarize(counts(found, scored=4)).decision({"rate": RATES})
    assert answers(decision) == ["not answerable"] * 3
    assert decision.verdict == "not answerable"
    assert "fewer than 50 cells of 0, 1, 2, 4" in decision.criteria[0].reason
    assert all("more cells of" in criterion.needed for criterion in decision.criteria)


def test_one_dose_of_few_cells_decides_nothing():
    table = counts({**DOSES, 8: [4, 4, 4]})
    table["scored"] = [2000] * 12 + [4] * 3
    decision = summarize(table).decision({"rate": RATES})
    assert answers(decision) == ["met", "not answerable", "met"]
    assert decision.criteria[0].reason.startswith("4: ")
    assert decision.criteria[2].reason.startswith("4: 20.5")
