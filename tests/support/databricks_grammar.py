"""The statements of Unity Catalog by their documented grammar, written in the notation of the reference.

Words in capitals are themselves, other words are rules; [ ] may be left out, { | } is a choice, "..." says again
what stands before it, with a comma between where one is written: `tag [, ...]`.
Source: Databricks SQL language reference, the page of each statement.
"""

import re
from dataclasses import dataclass
from functools import cache

import sqlglot
from sqlglot.errors import ParseError, TokenError

STATEMENTS = """
CREATE EXTERNAL LOCATION [IF NOT EXISTS] name URL text WITH ( STORAGE CREDENTIAL name ) [COMMENT comment]
CREATE CATALOG [IF NOT EXISTS] name [MANAGED LOCATION text] [COMMENT comment]
CREATE SCHEMA [IF NOT EXISTS] name [COMMENT comment] [MANAGED LOCATION text]
CREATE [EXTERNAL] VOLUME [IF NOT EXISTS] name [LOCATION text] [COMMENT comment]
CREATE TABLE [IF NOT EXISTS] name ( column [, ...] ) [USING word] [clause ...]
CREATE [OR REPLACE] FUNCTION [IF NOT EXISTS] name ( [field [, ...]] ) [RETURNS type] [trait ...] RETURN expression
CREATE [OR REPLACE] VIEW [IF NOT EXISTS] name [COMMENT comment] AS query
DROP FUNCTION [IF EXISTS] name
ALTER EXTERNAL LOCATION name { SET URL text [FORCE] | SET STORAGE CREDENTIAL name [FORCE] | owner }
ALTER { CATALOG | SCHEMA | VOLUME | VIEW } name { owner | tags }
ALTER TABLE name { owner | tags | DROP ROW FILTER | ALTER [COLUMN] name { COMMENT comment | DROP MASK | tags } }
COMMENT ON commented name IS comment
GRANT privileges ON securable TO name
REVOKE privileges ON securable FROM name
query
"""
RULES = {
    "comment": "{ text | NULL }",
    "column": "name type [NOT NULL] [COMMENT comment]",
    "clause": "{ COMMENT comment | PARTITIONED BY ( name [, ...] ) | CLUSTER BY ( name [, ...] ) "
    "| TBLPROPERTIES ( property [, ...] ) | LOCATION text }",
    "type": "{ word | word ( word [, ...] ) | ARRAY < type > | MAP < type , type > | STRUCT < member [, ...] > }",
    "member": "name : type",
    "property": "{ text | name } = { text | word }",
    "commented": "{ CATALOG | COLUMN | CONNECTION | PROVIDER | RECIPIENT | SCHEMA | DATABASE | SHARE | TABLE "
    "| VOLUME }",
    "field": "name type [COMMENT comment]",
    "trait": "{ LANGUAGE SQL | [NOT] DETERMINISTIC | COMMENT comment | CONTAINS SQL | READS SQL DATA }",
    "owner": "[SET] OWNER TO name",
    "tags": "{ SET TAGS ( tag [, ...] ) | UNSET TAGS ( text [, ...] ) }",
    "tag": "text = text",
    "privileges": "{ ALL PRIVILEGES | privilege [, ...] }",
    "privilege": "{ ACCESS | APPLY TAG | BROWSE | CREATE FUNCTION | CREATE SCHEMA | CREATE TABLE | CREATE VOLUME "
    "| EXECUTE | MANAGE | MODIFY | READ FILES | READ VOLUME | SELECT | USE CATALOG | USE SCHEMA | WRITE FILES "
    "| WRITE VOLUME | CREATE EXTERNAL TABLE | CREATE EXTERNAL VOLUME | CREATE MANAGED STORAGE }",
    "securable": "{ { CATALOG | CONNECTION | EXTERNAL LOCATION | FUNCTION | SCHEMA | DATABASE | [TABLE] | VIEW "
    "| VOLUME | STORAGE CREDENTIAL | SERVICE CREDENTIAL } name | METASTORE }",
}
TOKEN = re.compile(r"\s*(?:(?P<text>'(?:[^'\\]|\\.|'')*')|(?P<quoted>`[^`]+`)|(?P<word>\w+)|(?P<sign>[^\s\w]))")


@dataclass(frozen=True)
class Token:
    """A piece of a statement: its kind (text, quoted, word, sign), itself, and where it begins."""

    kind: str
    value: str
    start: int


@cache
def documented(statement: str) -> bool:
    """Whether the reference knows a statement of this form."""
    tokens, position = [], 0
    while position < len(statement.rstrip()):
        found = TOKEN.match(statement, position)
        if found is None:
            return False
        kind = found.lastgroup
        tokens.append(Token(kind, found[kind], found.start(kind)))
        position = found.end()
    matcher = _Matcher(statement, tokens)
    return any(len(tokens) in matcher.ends(form, 0) for form in forms())


@cache
def forms() -> tuple:
    """The forms of all statements."""
    return tuple(_form(line) for line in STATEMENTS.strip().splitlines())


@cache
def _form(text: str) -> tuple:
    """A form as a tree: ("all", parts), ("any", parts), ("maybe", part), ("again", part, sign), ("is", word)."""
    words = re.findall(r"\.\.\.|\w+|[^\s\w]", text)
    form = _choice(words)
    assert not words, f"{text}: {words} is left over"
    return form


def _choice(words: list[str]) -> tuple:
    choices = [_sequence(words)]
    while words and words[0] == "|":
        words.pop(0)
        choices.append(_sequence(words))
    return choices[0] if len(choices) == 1 else ("any", *choices)


def _sequence(words: list[str]) -> tuple:
    parts: list[tuple] = []
    while words and words[0] not in "]}|":
        word = words.pop(0)
        if word == "[" and words[:3] == [",", "...", "]"]:
            del words[:3]
            parts[-1] = ("again", parts[-1], ",")
        elif word == "...":
            parts[-1] = ("again", parts[-1], "")
        elif word in "[{":
            inner = _choice(words)
            words.pop(0)
            parts.append(("maybe", inner) if word == "[" else inner)
        else:
            parts.append(("is", word))
    return ("all", *parts)


class _Matcher:
    """Where in one statement a form can end that begins at a token."""

    def __init__(self, statement: str, tokens: list[Token]):
        self._statement = statement
        self._tokens = tokens

    def ends(self, form: tuple, start: int) -> set[int]:
        kind, *parts = form
        if kind == "all":
            found = {start}
            for part in parts:
                found = set().union(*(self.ends(part, place) for place in found))
            return found
        if kind == "any":
            return set().union(*(self.ends(part, start) for part in parts))
        if kind == "maybe":
            return {start} | self.ends(parts[0], start)
        if kind == "again":
            return self._again(*parts, start)
        return self._is(parts[0], start)

    def _again(self, form: tuple, sign: str, start: int) -> set[int]:
        found, waiting = set(), self.ends(form, start)
        while waiting:
            found |= waiting
            after = set().union(*(self._is(sign, place) for place in waiting)) if sign else waiting
            waiting = set().union(*(self.ends(form, place) for place in after)) - found
        return found

    def _is(self, word: str, start: int) -> set[int]:
        if word in RULES:
            return self.ends(_form(RULES[word]), start)
        if word in ("query", "expression"):
            return {len(self._tokens)} if self._parses(word, start) else set()
        if start == len(self._tokens):
            return set()
        token = self._tokens[start]
        if word in ("text", "word"):
            return {start + 1} if token.kind == word else set()
        if word == "name":
            return self._name(start)
        is_itself = token.kind in ("word", "sign") and token.value.upper() == word
        return {start + 1} if is_itself else set()

    def _name(self, start: int) -> set[int]:
        place = start
        while place < len(self._tokens) and self._tokens[place].kind in ("word", "quoted"):
            place += 1
            if place == len(self._tokens) or self._tokens[place].value != ".":
                return {place}
            place += 1
        return set()

    def _parses(self, word: str, start: int) -> bool:
        if start == len(self._tokens):
            return False
        if word == "query" and self._tokens[start].value.upper() not in ("SELECT", "WITH"):
            return False
        text = self._statement[self._tokens[start].start :]
        try:
            tree = sqlglot.parse_one(text, read="databricks")
        except (ParseError, TokenError):
            return False
        return isinstance(tree, sqlglot.exp.Query) == (word == "query") and not isinstance(
            tree, sqlglot.exp.Command
        )
