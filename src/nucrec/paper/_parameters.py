"""The parameters of a reproduction."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from nucrec._validation import check_choice, check_int, check_real, invalid
from nucrec.models import backbones
from nucrec.paper._presets import PRESETS, Preset, PresetName, make_preset
from nucrec.paper._protocol import COPIES, N_SPLITS, TEST_SIZE, ProtocolName
from nucrec.paper._specification import TABLES


@dataclass(frozen=True)
class Parameters:
    """The validated parameters of `reproduce` that affect its numbers."""

    tables: tuple[int, ...]
    preset: PresetName
    protocol: Literal["paper", "honest", "both"]
    random_state: int
    n_repeats: int
    timeout: float | None
    backbone: str | None = None
    weights: str = "imagenet"

    def __post_init__(self) -> None:
        check_choice("preset", self.preset, tuple(PRESETS))
        check_choice("protocol", self.protocol, ("paper", "honest", "both"))
        check_int("random_state", self.random_state, low=0, high=2**32 - 1)
        check_int("n_repeats", self.n_repeats, low=1)
        if self.timeout is not None:
            check_real("timeout", self.timeout, low=0, high=1e9, open_ends=True)
        if self.backbone is not None:
            check_choice("backbone", self.backbone, tuple(backbones()))

    @property
    def protocols(self) -> tuple[ProtocolName, ...]:
        """The protocols that are followed."""
        return ("paper", "honest") if self.protocol == "both" else (self.protocol,)

    @property
    def networks(self) -> Preset:
        """The networks of Tables III to VI."""
        return make_preset(self.preset, self.backbone, self.weights)

    @classmethod
    def of_record(cls, record: dict[str, Any]) -> "Parameters":
        """Return the parameters that `to_dict` wrote; raises KeyError if one is missing.

        Records of earlier versions know neither a backbone nor its weights.
        """
        later = {"backbone": None, "weights": "imagenet"}
        values = {name: {**later, **record}[name] for name in cls.__dataclass_fields__}
        return cls(**{**values, "tables": table_numbers(values["tables"])})

    def to_dict(self) -> dict[str, Any]:
        """Return the parameters for the record, including constants."""
        fixed = {"n_splits": N_SPLITS, "test_size": TEST_SIZE, "copies": COPIES}
        return {**asdict(self), **fixed}


def table_numbers(tables: str | int | Sequence[int]) -> tuple[int, ...]:
    """Return the tables that the user requested."""
    if tables == "all":
        return tuple(TABLES)
    expected = "'all', or table numbers such as '1,2' or [1, 2]"
    parts: Sequence[Any] = (
        tables.split(",")
        if isinstance(tables, str)
        else ([tables] if isinstance(tables, int) else tables)
    )
    try:
        numbers = tuple(sorted({int(part) for part in parts}))
    except (TypeError, ValueError) as error:
        raise invalid("tables", expected, tables) from error
    if not numbers or not set(numbers) <= set(TABLES):
        raise invalid("tables", expected + ", from 1 to 6", tables)
    return numbers
