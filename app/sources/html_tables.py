"""Tables as a Markdown draft: one line a row, each cell on that line."""

from __future__ import annotations

import re
from dataclasses import replace

from bs4.element import Tag

from app.sources.html_blocks import Blocks
from app.sources.html_inline import Parents


class Tables(Blocks):
    """Drafts of tables."""

    def convert_table(self, el: Tag, text: str, parent_tags: Parents) -> str:
        """Set a table apart."""
        return self.convert_div(el, text, parent_tags)

    def convert_td(self, el: Tag, text: str, parent_tags: Parents) -> str:
        """Write a cell on one line."""
        inner = re.sub(r"\s+", " ", text).strip(" ;").replace(self.syntax.line_break, " ")
        if "_inline" in parent_tags or el.find_parent("table") is None:
            return f" {inner} "
        opened, closed = self.syntax.kept
        for number in re.findall(f"{opened}(\\d+){closed}", inner):
            self.kept[int(number)] = replace(self.kept[int(number)], table_cell=True)
        return f" {inner} " + self.syntax.pipe * _span(el)

    convert_th = convert_td

    def convert_tr(self, el: Tag, text: str, parent_tags: Parents) -> str:
        """Write a row; the first has a head above or below it, for Markdown knows no table without."""
        table = el.find_parent("table")
        if "_inline" in parent_tags or table is None:
            return f" {text} "
        pipe = self.syntax.pipe
        row = f"\n{pipe}{text}\n"
        if table.find("tr") is not el:
            return row
        columns = self._width(table)
        divider = f"\n{pipe}{f' {self.syntax.delimiter} {pipe}' * columns}\n"
        cells = el.find_all(["td", "th"], recursive=False)
        if cells and all(cell.name == "th" for cell in cells):
            missing = columns - sum(map(_span, cells))
            return f"\n{pipe}{text}{f' {pipe}' * missing}{divider}"
        return f"\n{pipe}{f' {pipe}' * columns}{divider}{row[1:]}"

    def _width(self, table: Tag) -> int:
        rows = (row.find_all(["td", "th"], recursive=False) for row in table.find_all("tr"))
        return max((sum(map(_span, cells)) for cells in rows), default=1)


def _span(cell: Tag) -> int:
    span = str(cell.get("colspan", "1"))
    return min(100, max(1, int(span))) if re.fullmatch(r"[0-9]{1,4}", span) else 1
