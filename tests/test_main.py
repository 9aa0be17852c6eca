"""The command line as a whole."""

import subprocess
import sys

import pytest

import nucrec
from nucrec.__main__ import main


def test_version_is_the_one_version(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"nucrec {nucrec.__version__}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["reproduce", "--help"],
        ["train", "--help"],
        ["predict", "--help"],
        ["audit", "--help"],
        ["evaluate", "--help"],
        ["detect", "--help"],
        ["assay", "--help"],
    ],
)
def test_help(arguments, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 0
    text = capsys.readouterr().out
    assert "nucrec" in text
    if len(arguments) > 1:
        examples = [
            line for line in text.splitlines() if line.startswith(f"  nucrec {arguments[0]}")
        ]
        assert len(examples) >= 2
        prose = text.partition("\nexamples:\n")[0]
        assert max(map(len, prose.splitlines())) <= 80
    if arguments[0] == "train":
        for option in ("--out", "--backbone", "--weights", "--test-size", "--checkpoint"):
            assert option in text
    if arguments[0] == "predict":
        for option in ("MODEL", "--scheduler", "--shard-size", "dask worker"):
            assert option in text
    if arguments[0] == "reproduce":
        for option in ("--tables", "--protocol", "--preset", "--data", "--out", "--json", "--seed"):
            assert option in text


def test_help_needs_no_heavy_library():
    code = (
        "import sys\nfrom nucrec.__main__ import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "sys.exit(bool({'numpy', 'sklearn', 'tensorflow', 'PIL'} & set(sys.modules)))"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode
        == 0
    )


@pytest.mark.parametrize(
    "arguments", [[], ["repro"], ["reproduce", "--protocol", "x"], ["reproduce", "--seed", "x"]]
)
def test_usage_errors(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("nucrec: ")
    assert line.endswith("--help'.")
