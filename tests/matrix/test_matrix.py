"""Role × action: what the grants say today, against what was agreed.

After a deliberate change of authz/rules.csv, write the page anew and review its difference:

    PYTHONPATH=. python tests/matrix/test_matrix.py
"""

import csv
import io
import sys
from pathlib import Path

from api.graphql.operations import declared_actions
from authz.release import Release
from domain.grants.effects import Effect

PAGE = Path(__file__).with_name("matrix.csv")
WORDS = {Effect.ALLOW: "allow", Effect.DENY: "deny", Effect.NONE: ""}


def page(actions):
    table = Release(actions).table()
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["action", *table.roles])
    for action, cells in table.matrix().items():
        rows.writerow([action, *(WORDS[cells[role].effect] for role in table.roles)])
    return text.getvalue()


def agreed():
    with PAGE.open(encoding="utf-8", newline="") as file:
        return [row[0] for row in csv.reader(file)][1:]


def test_the_matrix_is_the_one_agreed():
    assert page(agreed()) == PAGE.read_text(encoding="utf-8")


def test_every_role_may_do_something_and_every_action_is_somebodys():
    table = Release(agreed()).table()
    cells = table.matrix()
    assert all(any(cells[action][role].effect is Effect.ALLOW for action in cells) for role in table.roles)
    assert all(any(cell.effect is Effect.ALLOW for cell in row.values()) for row in cells.values())


def test_the_matrix_has_a_line_for_every_action_the_product_asks_for_and_no_other():
    assert sorted(agreed()) == sorted(declared_actions())


if __name__ == "__main__":
    known = [action for action in agreed() if action in declared_actions()] if PAGE.exists() else []
    PAGE.write_text(page(list(dict.fromkeys([*known, *declared_actions()]))), encoding="utf-8")
    sys.stdout.write(f"{PAGE} written; review its difference.\n")
