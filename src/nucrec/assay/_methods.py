"""Descriptions of the methods used in a report, with their sources."""

from typing import NamedTuple

from nucrec import _text as fmt
from nucrec._unit_rates import FEWEST_UNITS
from nucrec.assay._decision import FEWEST_CELLS, FEWEST_DOSES
from nucrec.assay._findings import POWER, Findings
from nucrec.assay._historical import FEWEST_EXPERIMENTS
from nucrec.assay._permute import MOST

GUIDELINE = (
    "OECD, Test No. 487: In Vitro Mammalian Cell Micronucleus Test, OECD Guidelines for the "
    "Testing of Chemicals, Section 4, OECD Publishing, Paris, 2016."
)


class Method(NamedTuple):
    """One method.

    Attributes
    ----------
    what : str
        The purpose of the method.
    words : str
        The description of the method.
    sources : tuple of str
        The sources of the method.
    """

    what: str
    words: str
    sources: tuple[str, ...]


def methods_of(findings: Findings) -> list[Method]:
    """Return the methods used for the numbers in a report."""
    unit = findings.assay.unit
    methods = [_unit_interval(unit), _interval(unit, findings.assay.confidence)]
    if any(family.contrasts for family in findings.families):
        methods += [_against_control(findings), _power(findings)]
    if any(family.trend for family in findings.families):
        methods.append(_trend(unit))
    methods.append(_decision(findings))
    if findings.correction is not None:
        methods.append(_correction())
    if findings.cytotoxicity:
        methods.append(_cytotoxicity())
    return methods


def _unit_interval(unit: str) -> Method:
    return Method(
        f"Rate of one {unit}",
        "Micronucleated cells divided by scored cells, times 1000, with Wilson's interval. It covers "
        f"the sampling of cells within this {unit} only.",
        (
            "E. B. Wilson, Probable inference, the law of succession, and statistical inference, "
            "Journal of the American Statistical Association 22, 1927, pp. 209-212.",
        ),
    )


def _interval(unit: str, confidence: float) -> Method:
    return Method(
        f"Rate of a condition, over {unit}s",
        f"Wilson's {fmt.percent(confidence)} interval for an effective number of cells: the number "
        f"of cells divided by the dispersion of the counts of {unit}s (Pearson's X2 divided by its "
        "degrees of freedom or, if larger, the variance of the ratio estimator, as with "
        f"{unit}s of different sizes; at least 1), with the quantile of Student's t. It is never "
        "narrower than that of as many independent cells. With fewer than "
        f"{FEWEST_UNITS} {unit}s, the interval is not estimable.",
        (
            "P. McCullagh, J. A. Nelder, Generalized Linear Models, 2nd edition, Chapman and "
            "Hall, 1989, section 4.5.",
            "N. Dean, M. Pagano, Evaluating confidence interval methods for binomial proportions "
            "in clustered surveys, Journal of Survey Statistics and Methodology 3, 2015, pp. "
            "484-503.",
        ),
    )


def _against_control(findings: Findings) -> Method:
    unit, block = findings.assay.unit, findings.assay.block
    within = f" within the same {block}" if block else ""
    return Method(
        "Increase over the control",
        f"One-sided. Whole {unit}s: Dunnett's t of rates, with p-values from permutations of "
        f"{unit}s{within} among the control and the remaining doses, step by step, so that the "
        "probability of any false increase among the doses of a compound stays at the significance "
        "level. Pooled cells: Fisher's exact test with Holm's correction, which treats all cells as "
        f"independent, so that variation between {unit}s can look like an effect. If there are more "
        f"than {MOST} arrangements, a sample is drawn with seed {findings.random_state}.",
        (
            "C. W. Dunnett, A multiple comparison procedure for comparing several treatments "
            "with a control, Journal of the American Statistical Association 50, 1955, pp. "
            "1096-1121.",
            "P. H. Westfall, S. S. Young, Resampling-Based Multiple Testing, Wiley, 1993.",
            "R. A. Fisher, On the interpretation of chi-squared from contingency tables, and the "
            "calculation of P, Journal of the Royal Statistical Society 85, 1922, pp. 87-94.",
            "S. Holm, A simple sequentially rejective multiple test procedure, Scandinavian "
            "Journal of Statistics 6, 1979, pp. 65-70.",
        ),
    )


def _power(findings: Findings) -> Method:
    return Method(
        "Smallest increase",
        f"The true rate that would be found with a probability of {fmt.percent(POWER)} at the "
        f"one-sided level of {fmt.percent(findings.alpha)}, from the noncentral t distribution of "
        "the difference of transformed rates, with the observed variation between units and "
        "Bonferroni's correction. This is an approximation.",
        (
            "F. J. Anscombe, The transformation of Poisson, binomial and negative-binomial data, "
            "Biometrika 35, 1948, pp. 246-254.",
        ),
    )


def _trend(unit: str) -> Method:
    return Method(
        "Increase with dose",
        "One-sided, with the doses as scores. Pooled cells: Cochran-Armitage, exact if a condition "
        f"has fewer than five expected micronucleated cells. Whole {unit}s: the same statistic, "
        f"compared with its values when the {unit}s are permuted among the doses.",
        (
            "W. G. Cochran, Some methods for strengthening the common chi-squared tests, "
            "Biometrics 10, 1954, pp. 417-451.",
            "P. Armitage, Tests for linear trends in proportions and frequencies, Biometrics 11, "
            "1955, pp. 375-386.",
        ),
    )


def _decision(findings: Findings) -> Method:
    return Method(
        "Decision",
        "Clearly positive: all three criteria are met. Clearly negative: none is, with at least "
        f"{FEWEST_DOSES} doses and {FEWEST_CELLS} cells each. Equivocal: some are met. The tests "
        f"are those of whole {findings.assay.unit}s. The limits of historical controls contain 95% of "
        "single rates: Student's t prediction interval of their square roots, from "
        f"{FEWEST_EXPERIMENTS} experiments upwards. The guideline also asks for expert judgement, "
        "which no program replaces.",
        (GUIDELINE,),
    )


def _correction() -> Method:
    return Method(
        "Corrected rates",
        "Rogan and Gladen's estimate, with sensitivity and specificity from cells reviewed by a "
        "person (double sampling), each of which counts for as many cells as it represents. "
        "Intervals are quantiles of draws from Jeffreys' posteriors. The estimate is valid if the "
        "errors are the same in all conditions.",
        (
            "W. J. Rogan, B. Gladen, Estimating prevalence from the results of a screening test, "
            "American Journal of Epidemiology 107, 1978, pp. 71-76.",
            "A. Tenenbein, A double sampling scheme for estimating from binomial data with "
            "misclassifications, Journal of the American Statistical Association 65, 1970, pp. "
            "1350-1361.",
        ),
    )


def _cytotoxicity() -> Method:
    return Method(
        "Cytotoxicity",
        "CBPI: (cells with one nucleus + 2 x cells with two + 3 x cells with more) / cells. "
        "Cytostasis: 100 - 100 (CBPI - 1) / (CBPI of the control - 1). Replication index: (cells "
        "with two nuclei + 2 x cells with more) / cells, in percent of the control. RICC: the "
        "increase in cell count, in percent of that of the control.",
        (GUIDELINE,),
    )
