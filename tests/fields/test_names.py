"""Wells and channels, read off the names of files."""

import numpy as np
import pytest
from PIL import Image

from nucrec.errors import DatasetError, DataWarning
from nucrec.fields import load_fields

PIXELS = np.random.default_rng(0).integers(0, 250, (130, 130), dtype=np.uint8)


def save(folder, *names: str) -> None:
    for i, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(PIXELS // (i + 1)).save(folder / name)


@pytest.mark.parametrize(
    ("names", "wells"),
    [
        (["exp_B03_1.png", "exp_C04_2.png"], ["B03", "C04"]),
        (["b3_1.png", "d12_1.png"], ["B03", "D12"]),
        (["r02c03f01p01-ch1sk1fk1fl1.png"], ["B03"]),
        (["plate1_B03_s4_w1.png", "plate1_C03_s4_w1.png"], ["B03", "C03"]),
        (["MFGTMP_220101120000_B03f00d0.png"], ["B03"]),
        (["VID1_B3_1.png", "VID1_C3_1.png"], ["B03", "C03"]),
        (["A - 01(fld 1 wv UV - DAPI).png", "P - 24(fld 1 wv UV - DAPI).png"], ["A01", "P24"]),
        (["p_AA07_T0001F001L01A01Z01C01.png"], ["AA07"]),
        (["B03/1.png", "C11/1.png"], ["B03", "C11"]),
        (["Well B3/1.png", "Well C11/1.png"], ["B03", "C11"]),
        (["B03/s1/1.png", "C11/s1/1.png"], ["B03", "C11"]),
        (["HeLa_P3_A1.png", "HeLa_P3_B2.png"], ["A01", "B02"]),
        (["H9_A11.png", "H9_A12.png"], ["A11", "A12"]),
        # no wells
        (["2022-05-26-rpe1-3.png", "2022-10-14_U2OS_1.png"], [None, None]),
        (["C2C12_1.png", "A549 T25 H2B.png"], [None, None]),
        (["img_F1.png", "img_F2.png"], [None, None]),
        (["day_d3_a.png", "day_d5_a.png"], [None, None]),
        (["x_p12.png", "x_p13.png"], [None, None]),
        (["B0.png", "B99.png"], [None, None]),
    ],
)
def test_wells(tmp_path, names, wells):
    save(tmp_path, *names)
    assert [field.well for field in load_fields(tmp_path)] == wells


@pytest.mark.parametrize(
    ("pattern", "well"),
    [
        (r"well(?P<well>\d+)", "17"),
        (r"row(?P<row>\d)_col(?P<column>\d+)", "B05"),
        (r"(?P<row>[A-H])x(?P<column>\d+)", "C07"),
    ],
)
def test_a_pattern_of_the_user(tmp_path, pattern, well):
    save(tmp_path, "C01/well17_row2_col5_Cx7.png")
    assert load_fields(tmp_path, well_pattern=pattern)[0].well == well


def test_fields_without_a_well_are_said(tmp_path):
    save(tmp_path, "B03_1.png", "overview.png")
    with pytest.warns(DataWarning, match=r"no well in the name \(1 field: overview.png\)"):
        fields = load_fields(tmp_path)
    assert [field.well for field in fields] == ["B03", None]


@pytest.mark.parametrize("plates", [("plate1", "plate2"), ("exp/plate1", "exp/plate2")])
def test_one_well_in_two_plates_is_said(plates, tmp_path):
    save(tmp_path, *(f"{plate}/B03.png" for plate in plates))
    with pytest.warns(DataWarning, match=f"well B03 is in several folders .{', '.join(plates)}"):
        fields = load_fields(tmp_path)
    assert fields.names == tuple(f"{plate.replace('/', '_')}_B03" for plate in plates)


@pytest.mark.parametrize(
    "place", ["{1}/s{0}/{0}.png", "s{0}/{1}.png", "plate/site {0}/{1}_x.png", "{1}_s{0}/image.png",
              "exp/{1}_s{0}/image.png", "F{0}/x_{1}.png"],
)  # fmt: skip
def test_folders_of_sites_are_parts_of_wells(place, tmp_path):
    save(tmp_path, *(place.format(site, well) for site in (1, 2) for well in ("B03", "C04")))
    fields = load_fields(tmp_path)
    assert sorted(field.well for field in fields) == ["B03", "B03", "C04", "C04"]
    assert fields.remarks == ()


def test_one_folder_like_a_well_is_none(tmp_path):
    save(tmp_path, "HeLa A1/1.png", "HeLa A1/2.png")
    assert [field.well for field in load_fields(tmp_path)] == [None, None]


def test_folders_of_times_are_said(tmp_path):
    save(tmp_path, "TimePoint_1/B03.png", "TimePoint_2/B03.png")
    with pytest.warns(DataWarning, match="look like a time series of up to 2 frames"):
        assert [field.well for field in load_fields(tmp_path)] == ["B03", "B03"]


def test_folders_of_z_positions_are_one_field(tmp_path):
    save(tmp_path, "ZStep_1/B03.png", "ZStep_2/B03.png", "ZStep_1/C04.png", "ZStep_2/C04.png")
    with pytest.warns(DataWarning, match="maximum projection .2 fields: ZStep_1/B03.png"):
        fields = load_fields(tmp_path)
    assert fields.names == ("B03", "C04")
    assert np.array_equal(fields[0].read(), PIXELS)


def test_folders_of_channels_are_channels(tmp_path):
    save(tmp_path, "DAPI/B03.png", "GFP/B03.png", "DAPI/C04.png", "GFP/C04.png")
    with pytest.raises(
        DatasetError, match="each channel is a separate file .'DAPI', 'GFP'.: choose"
    ):
        load_fields(tmp_path)
    fields = load_fields(tmp_path, channel="gfp")
    assert [(field.name, field.file) for field in fields] == [
        ("B03", "GFP/B03.png"), ("C04", "GFP/C04.png"),
    ]  # fmt: skip
    assert np.array_equal(fields[1].read(), PIXELS // 4)


def test_a_field_without_a_file_in_the_folder_of_the_channel_is_left_out(tmp_path):
    save(tmp_path, "DAPI/B03_1.png", "GFP/B03_1.png", "GFP/B04_1.png")
    with pytest.warns(
        DataWarning, match="B04_1 was left out: has no file for the chosen channel, only for: GFP"
    ):
        assert load_fields(tmp_path, channel="DAPI").names == ("B03_1",)


def test_folders_of_colours_are_channels(tmp_path):
    save(tmp_path, "blue/B03.png", "red/B03.png", "red/C04.png", "blue/C04.png")
    fields = load_fields(tmp_path, channel="blue")
    assert [field.file for field in fields] == ["blue/B03.png", "blue/C04.png"]
    with pytest.raises(DatasetError, match=r"each channel is a separate file \('blue', 'red'\)"):
        load_fields(tmp_path)


def test_folders_called_like_channels_with_other_names_are_folders(tmp_path):
    save(tmp_path, "DAPI/B03.png", "GFP/C04.png")
    assert load_fields(tmp_path).names == ("B03", "C04")


@pytest.mark.parametrize(
    ("names", "channel", "chosen", "called"),
    [
        (["p_B03_s4_w1DAPI.png", "p_B03_s4_w2GFP.png"], "DAPI", 0, "p_B03_s4"),
        (["p_B03_s4_w1DAPI.png", "p_B03_s4_w2GFP.png"], "w2", 1, "p_B03_s4"),
        (["p_w1DAPI_s43.png", "p_w2_s43.png"], "w1DAPI", 0, "p_s43"),
        (["a_ch00.png", "a_ch01.png"], "ch01", 1, "a"),
        (["a_ch00.png", "a_ch01.png"], 1, 1, "a"),
        (["C1-a.png", "C2-a.png"], "c1", 0, "a"),
        (["a-C1.png", "a-C2.png"], "C2", 1, "a"),
        (["r02c03f01p01-ch1sk1fk1fl1.png", "r02c03f01p01-ch2sk1fk1fl1.png"], "ch2", 1, "r02c03f01"),
        (["x_B03f00d0.png", "x_B03f00d1.png"], "d1", 1, "x_B03f00"),
        (["B03/ch1.png", "B03/ch2.png"], "ch2", 1, "B03"),
        (["a_DAPI.png", "a_GFP.png"], "dapi", 0, "a"),
        (
            ["A - 01(fld 1 wv UV - DAPI).png", "A - 01(fld 1 wv Blue - FITC).png"],
            "DAPI",
            0,
            "A - 01(fld 1)",
        ),
        (
            [
                "p_B03_s1_w1A7E4D2B1-52AF-11EE-BE56-0242AC120002.png",
                "p_B03_s1_w2B8E4D2B1-52AF-11EE-BE56-0242AC120002.png",
            ],
            "w2",
            1,
            "p_B03_s1",
        ),
    ],
)
def test_one_file_for_each_channel(tmp_path, names, channel, chosen, called):
    save(tmp_path, *names)
    (field,) = load_fields(tmp_path, channel=channel)
    assert (field.name, field.file) == (called, names[chosen])
    assert np.array_equal(field.read(), PIXELS // (chosen + 1))
    with pytest.raises(
        DatasetError, match="each channel is a separate file .*: choose the nuclear stain"
    ):
        load_fields(tmp_path)


def test_numbers_that_count_from_one_are_asked_for_by_name(tmp_path):
    save(tmp_path, "a_w1.png", "a_w2.png")
    with pytest.raises(DatasetError, match=r"such as channel='w1'. Received: channel=1"):
        load_fields(tmp_path, channel=1)


def test_a_field_without_the_channel_is_left_out(tmp_path):
    save(tmp_path, "a_ch00.png", "a_ch01.png", "b_ch01.png")
    with pytest.warns(DataWarning, match=r"^b was left out: has no file for the chosen channel"):
        assert load_fields(tmp_path, channel="ch00").names == ("a",)


def test_c1_is_a_well_where_others_are(tmp_path):
    save(tmp_path, "a_A1.png", "a_B1.png", "a_C1.png", "a_C2.png")
    assert [field.well for field in load_fields(tmp_path)] == ["A01", "B01", "C01", "C02"]


def test_a_pattern_says_that_they_are_no_channels(tmp_path):
    save(tmp_path, "a-C1.png", "a-C2.png")
    fields = load_fields(tmp_path, well_pattern=r"-(?P<well>C\d)")
    assert [field.well for field in fields] == ["C01", "C02"]


def test_z_positions_in_files_of_their_own(tmp_path):
    save(tmp_path, "a_z1.png", "a_z2.png", "a_z3.png", "b_z9.png")
    with pytest.warns(DataWarning, match="maximum projection .1 field: a_z1.png"):
        fields = load_fields(tmp_path)
    assert fields.names == ("a", "b_z9")
    assert np.array_equal(fields[0].read(), PIXELS)  # the others are darker


def test_names_that_are_a_time_series_are_said(tmp_path):
    save(tmp_path, "a_t001.png", "a_t002.png")
    with pytest.warns(DataWarning, match="a time series of up to 2 frames"):
        assert len(load_fields(tmp_path)) == 2


def test_names_are_unique_with_the_folder_where_they_need_it(tmp_path):
    save(tmp_path, "B03/1.png", "B04/1.png", "B04/2.png")
    assert load_fields(tmp_path).names == ("B03_1", "B04_1", "B04_2")
