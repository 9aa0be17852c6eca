"""Results made of tables and remarks, in several formats."""

from abc import ABC, abstractmethod

from nucrec import _notebook as show
from nucrec import _text as fmt
from nucrec.assay._tables import Table


class Printed(ABC):
    """A result that is displayed as tables and remarks."""

    @abstractmethod
    def tables(self) -> dict[str, Table]:
        """Return the header and the rows of all tables, as text, by caption."""

    @abstractmethod
    def _told(self) -> list[str]:
        """Return the remarks below the tables."""

    def __str__(self) -> str:
        tables = (f"{name}\n{fmt.text_table(*each)}" for name, each in self.tables().items())
        return "\n\n".join([*tables, *self._told()])

    def _repr_html_(self) -> str:
        tables = (show.heading(name) + show.table(*each) for name, each in self.tables().items())
        return show.fragment(*tables, show.paragraphs(*self._told()))

    def to_html(self) -> str:
        """Return all tables and remarks as an HTML fragment."""
        tables = (
            f"<p><b>{fmt.html(name)}</b></p>{fmt.html_table(*each)}"
            for name, each in self.tables().items()
        )
        return "".join([*tables, *(f"<p>{fmt.html(each)}</p>" for each in self._told())])

    def to_markdown(self) -> str:
        """Return all tables and remarks as Markdown."""
        tables = (
            f"{fmt.printable(name)}\n\n{fmt.markdown_table(*each)}"
            for name, each in self.tables().items()
        )
        return "\n\n".join([*tables, *self._told()]) + "\n"
