"""Notices: what a customer is told before it consents, version by version, each kept as it was shown (Ch.4 §4)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from enum import Enum
from hashlib import sha256
from typing import Final

from domain.actors import Actor
from domain.errors import Code, Malformed
from domain.files.codes import required_text
from domain.operations import Decided, Operation, operation
from domain.ports import Unit
from domain.records import Record, fact, record

MAX_NOTICE: Final = 64 * 1024
"""Characters of a notice."""
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")


class NoticeState(Enum):
    """IN_FORCE → REPLACED or SUPERSEDED when the next version is published."""

    IN_FORCE = "IN_FORCE"
    """It is what customers are shown."""
    REPLACED = "REPLACED"
    """A later version says the same in other words: consents under it go on."""
    SUPERSEDED = "SUPERSEDED"
    """A later version says something else: consents under it have to be confirmed anew."""


@record("cn", table="consent_notice", read="notice:read", unique=(("digest",),), subject_reach=False, shown_to_all=True)
class ConsentNotice(Record):
    """One version of a notice, as customers were shown it before they consented (Ch.4 §4)."""

    name: str = fact("What the notice is called; its versions share the name. Ch.4 §4", filter=True, order=True)
    language: str = fact("The language it is written in, such as zh. Ch.4 §4", filter=True)
    number: int = fact("The version, counted from 1. Ch.4 §4", order=True)
    text: str = fact("The notice itself. Ch.4 §4")
    digest: str = fact("SHA-256 of its text in UTF-8, in hex. Ch.4 §4", filter=True)
    state: NoticeState = fact("Where it stands. Ch.4 §4", default=NoticeState.IN_FORCE, filter=True)


@operation("notice:publish", chapter="4.4")
class PublishConsentNotice(Operation[ConsentNotice]):
    """Publishes a notice, or its next version; it is what customers are shown from now on (Ch.4 §4)."""

    name: str
    """What the notice is called; the versions of one notice share it. Ch.4 §4"""
    text: str
    """The whole notice. Ch.4 §4"""
    language: str = "zh"
    """The language it is written in, such as zh. Ch.4 §4"""
    renews: bool = True
    """Whether consents under earlier versions have to be confirmed anew: where purposes, recipients or kinds of data
    changed. Ch.4 §4"""

    def decide(self, unit: Unit, actor: Actor) -> Decided[ConsentNotice]:
        """A text is published once; rule CN-P2: a changed notice is asked about again.

        Chapter: 4.4.
        """
        del actor
        name, language = required_text(self.name, "name"), language_code(self.language)
        if not 1 <= len(self.text.strip()) <= MAX_NOTICE:
            raise Malformed(f"A notice has 1 to {MAX_NOTICE} characters.", path=("text",))
        earlier = unit.find(ConsentNotice, lock=True, name=name, language=language)
        digest = sha256(self.text.encode()).hexdigest()
        if unit.find(ConsentNotice, digest=digest):
            raise Malformed(
                "This text is published already.",
                code=Code.CONFLICT,
                advice="Change the text; consents that rest on it name it by its digest.",
                path=("text",),
            )
        for notice in earlier:
            after = NoticeState.SUPERSEDED if self.renews else NoticeState.REPLACED
            if notice.state is NoticeState.IN_FORCE or (self.renews and notice.state is NoticeState.REPLACED):
                unit.replace(replace(notice, state=after))
        published = ConsentNotice(
            stamp=unit.stamp(ConsentNotice),
            name=name,
            language=language,
            number=max((notice.number for notice in earlier), default=0) + 1,
            text=self.text,
            digest=digest,
        )
        unit.add([published])
        return Decided(value=published, resources=(published.id,))


def superseded(unit: Unit, digests: Iterable[str]) -> frozenset[str]:
    """Those of some digests whose notice was superseded.

    Chapter: 4.4.
    """
    asked = tuple(sorted(set(digests)))
    if not asked:
        return frozenset()
    return frozenset(n.digest for n in unit.find(ConsentNotice, digest=asked, state=NoticeState.SUPERSEDED))


def shown(
    unit: Unit, digest: str, name: str | None, version: str | None, *, before: bool = False
) -> tuple[str | None, str | None]:
    """The name and version of the notice that has a digest; what is said of one that is kept elsewhere is taken.

    Chapter: 4.4.
    Raises:  Malformed (NOT_IN_FORCE) for one that was superseded, unless it was shown before; where name or version
             are not those of the digest.
    """
    found = unit.find(ConsentNotice, digest=digest)
    if not found:
        if name is not None and unit.find(ConsentNotice, name=name):
            raise _other_notice("noticeDigest")
        return name, version
    notice = found[0]
    if name not in {None, notice.name} or version not in {None, str(notice.number)}:
        raise _other_notice("noticeId")
    if notice.state is NoticeState.SUPERSEDED and not before:
        raise Malformed(
            "This version of the notice was superseded.",
            code=Code.NOT_IN_FORCE,
            advice="Show the customer the version in force, and send its digest.",
            path=("noticeDigest",),
        )
    return notice.name, str(notice.number)


def language_code(text: str) -> str:
    """A language as RFC 5646 writes it.

    Chapter: 4.4.
    Raises:  Malformed (MALFORMED_CODE).
    """
    if not _LANGUAGE.fullmatch(text):
        raise Malformed(
            "A language is written like zh or en-GB.",
            code=Code.MALFORMED_CODE,
            advice="Send the code of the language the customer was addressed in.",
            path=("language",),
        )
    return text


def _other_notice(path: str) -> Malformed:
    return Malformed(
        "No version of this notice has this digest.",
        code=Code.CONFLICT,
        advice="Send the digest of the text that was shown, and leave name and version to be found by it.",
        path=(path,),
    )
