"""The product's own grants and their tests, as the release approved them, and texts that are weighed beside them.

Tests of grants are YAML:

    - name: What a case is about
      roles: [sales]
      may: {credit_file: [read], mask: [identity, contact]}
      may_not: {reveal: all}

Only texts, lists and mappings are read: no tag, no alias, no key twice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, cast

import yaml

from authz import adapter
from authz.roles import ROLES
from authz.table import Table
from domain.errors import Malformed
from domain.grants import content
from domain.grants.cases import Case

FOLDER: Final = Path(__file__).with_name("tests")
"""The tests of the product's own grants, a file for each kind of reader."""
ALL: Final = "all"
"""Stands for every action on something."""
MAX_CASES: Final = 2_000
MAX_CHARACTERS: Final = 256 * 1024

_KEYS = frozenset({"name", "roles", "may", "may_not"})


class _Plain(yaml.BaseLoader):
    """Reads texts, lists and mappings; what a reader could overlook is refused."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise _wrong("An alias is not read", self.peek_event().start_mark.line)  # type: ignore[no-untyped-call] # as its stubs are
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:  # noqa: FBT001, FBT002 - the signature of the loader
        keys = [key.value for key, _ in node.value]
        for key in keys:
            if not isinstance(key, str) or keys.count(key) > 1:
                raise _wrong("A key is a text, and stands once", node.start_mark.line)
        return super().construct_mapping(node, deep)


class Release:
    """What came with the product, for the actions its operations and fields ask for."""

    def __init__(self, actions: Iterable[str]) -> None:
        self._actions = tuple(actions)

    @property
    def rules(self) -> str:
        """The rules, as text."""
        return adapter.RULES.read_text(encoding="utf-8")

    @property
    def tests(self) -> str:
        """Their tests, as YAML."""
        return _shipped()

    def table(self, rules: str | None = None) -> Table:
        """The decision table of a text; of the product's own rules where none is given.

        Raises: Malformed naming the line that is wrong.
        """
        snapshot = content.read(self.rules if rules is None else rules, actions=self._actions, roles=ROLES)
        return Table.compile(snapshot, actions=self._actions)

    def cases(self, tests: Sequence[str] = ()) -> tuple[Case, ...]:
        """The tests in some texts; the product's own where none is given.

        Raises: Malformed naming the place.
        """
        texts = tests or (self.tests,)
        return tuple(case for text in texts for case in read_cases(text, actions=self._actions))


def read_cases(text: str, *, actions: Collection[str]) -> tuple[Case, ...]:
    """The tests that a YAML text holds.

    Raises: Malformed naming the place.
    """
    if len(text) > MAX_CHARACTERS:
        raise Malformed(f"Tests have at most {MAX_CHARACTERS} characters.", path=("tests",))
    try:
        found: object = yaml.load(text, Loader=_Plain)  # noqa: S506 - it makes texts, lists and mappings alone
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise _wrong("It is no YAML", mark.line if mark else 0) from None
    except RecursionError:
        raise _wrong("It is nested too deeply", 0) from None
    if not isinstance(found, list) or len(found) > MAX_CASES:
        raise Malformed(f"Tests are a list of at most {MAX_CASES} cases.", path=("tests",))
    return tuple(_case(one, number, actions) for number, one in enumerate(cast("list[object]", found), start=1))


def _case(given: object, number: int, actions: Collection[str]) -> Case:
    place = f"case {number}"
    if not isinstance(given, dict) or not set(given) <= _KEYS or not {"name", "roles"} <= set(given):
        raise _at(f"A case has a name and roles, and says what they may and may_not: {place} of the tests.")
    name, roles = given["name"], given["roles"]
    if not isinstance(name, str) or not name.strip() or not isinstance(roles, list):
        raise _at(f"A name is a text, and roles are a list: {place} of the tests.")
    if not all(isinstance(role, str) for role in roles):
        raise _at(f"A role is a text: {place} of the tests.")
    may = tuple(_actions(given.get("may", {}), place, actions))
    may_not = tuple(_actions(given.get("may_not", {}), place, actions))
    return Case(name=name.strip(), roles=tuple(roles), may=may, may_not=may_not)


def _actions(given: object, place: str, actions: Collection[str]) -> Iterator[str]:
    if not isinstance(given, dict):
        raise _at(f"Actions are written as what is acted on, with a list of verbs: {place} of the tests.")
    for noun, verbs in given.items():
        if verbs == ALL:
            found = [action for action in actions if action.partition(":")[0] == noun]
            if not found:
                raise _at(f"Nothing asks for an action on {noun!r}: {place} of the tests.")
            yield from found
        elif isinstance(verbs, list) and all(isinstance(verb, str) for verb in verbs):
            yield from (f"{noun}:{verb}" for verb in verbs)
        else:
            raise _at(f"Verbs are a list, or the word {ALL}: {place} of the tests.")


def _wrong(message: str, line: int) -> Malformed:
    return _at(f"{message}: line {line + 1} of the tests.")


def _at(sentence: str) -> Malformed:
    return Malformed(sentence, advice="Compare it with the tests of the product.", path=("tests",))


def _shipped() -> str:
    """The tests of the product's own grants, as one text to begin with."""
    return "\n".join(path.read_text(encoding="utf-8").strip() + "\n" for path in sorted(FOLDER.glob("*.yaml")))
