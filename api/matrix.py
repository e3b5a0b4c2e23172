"""The role × action matrix as a page of its own: read in a browser, searched, and printed for an auditor."""

from __future__ import annotations

from html import escape
from typing import Final

from domain.grants.effects import Compiled, Effect

WORDS: Final = {Effect.ALLOW: "allowed", Effect.DENY: "denied", Effect.NONE: ""}
_MARKS: Final = {Effect.ALLOW: "●", Effect.DENY: "✕", Effect.NONE: ""}
STYLE: Final = """
:root { color-scheme: light dark; --line: #767676; --deny: #a11212; }
@media (prefers-color-scheme: dark) { :root { --deny: #ff9c9c; } }
body { margin: 1rem; font: 14px/1.4 system-ui, sans-serif; }
table { border-collapse: collapse; }
th, td { border: 1px solid var(--line); padding: .15rem .4rem; text-align: center; }
th[scope=row] { text-align: left; font-weight: normal; font-family: ui-monospace, monospace; white-space: nowrap; }
thead th { vertical-align: bottom; writing-mode: vertical-rl; transform: rotate(180deg); text-align: left; }
thead th:first-child { writing-mode: horizontal-tb; transform: none; }
.deny { color: var(--deny); }
small { display: block; font-size: .75rem; }
code { overflow-wrap: anywhere; }
@media print {
  @page { size: A4 landscape; margin: 10mm; }
  body { margin: 0; font-size: 7pt; }
  thead { display: table-header-group; }
  tr { break-inside: avoid; }
}
""".strip()


def page(compiled: Compiled, whose: str) -> str:
    """The matrix as HTML: no script, nothing fetched, every mark with its word for who does not see it."""
    roles = "".join(f'<th scope="col">{escape(role)}</th>' for role in compiled.roles)
    rows = "\n".join(_row(compiled, action) for action in sorted(compiled.actions))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Who may do what</title>
<style>
{STYLE}
</style>
</head>
<body>
<h1>Who may do what</h1>
<p>{escape(whose)}, version <code>{escape(compiled.version)}</code>: audit entries name it, and the rules in the cells.
● allowed, ✕ denied whatever other role a person has; an empty cell is not allowed. Roles alone decide nothing more:
the company, one's own file, consent, delegation levels and the duties of two persons are decided by operations.</p>
<table>
<thead><tr><th scope="col">action</th>{roles}</tr></thead>
<tbody>
{rows}
</tbody>
</table>
</body>
</html>
"""


def lines(compiled: Compiled) -> list[str]:
    """The matrix as text: each action with the roles that may do it, and those that are denied it."""
    found: list[str] = []
    for action in sorted(compiled.actions):
        sides = [
            ", ".join(role for role in compiled.roles if compiled.cell(role, action).effect is effect)
            for effect in (Effect.ALLOW, Effect.DENY)
        ]
        found.append(f"{action}: {sides[0] or 'nobody'}" + (f"; denied to {sides[1]}" if sides[1] else ""))
    return found


def _row(compiled: Compiled, action: str) -> str:
    cells: list[str] = []
    for role in compiled.roles:
        cell = compiled.cell(role, action)
        if cell.rule is None:
            cells.append("<td></td>")
            continue
        named = f'<span role="img" aria-label="{WORDS[cell.effect]}">{_MARKS[cell.effect]}</span>'
        kind = ' class="deny"' if cell.effect is Effect.DENY else ""
        cells.append(f'<td{kind} title="{escape(cell.rule.why)}">{named}<small>{escape(cell.rule.id)}</small></td>')
    return f'<tr><th scope="row">{escape(action)}</th>{"".join(cells)}</tr>'
