"""Rules of the expression language that are easy to get wrong, beside the vectors."""

from datetime import UTC, datetime

import pytest

from adf_lab.expressions import Context, ExpressionError, check_expression, evaluate, evaluate_tree


def value(text, **scopes):
    return evaluate(text, Context(**scopes))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@@x @{1}", "@x @{1}"),
        ("a @@{b} @{add(1,2)}", "a @{b} 3"),
        ("@{'a}b'}", "a}b"),
        ("@string(1e16)", "10000000000000000"),
        ("@string(1e17)", "1E+17"),
        ("@string(createArray(1.0, 0.00001, true, null))", "[1.0,1E-05,true,null]"),
        ("@int('1,000')", 1000),
        ("@float('1.5-')", -1.5),
        ("@json('{a:1, ''b'':[1,2,], /* c */ \"d\":0x1F')", {"a": 1, "b": [1, 2], "d": 31}),
        ("@if(true, 1, div(1, 0))", 1),
        ("@coalesce(null, 2, div(1, 0))", 2),
        ("@less('a', 'B')", True),
        ("@less('b', 'B')", True),
        ("@lastIndexOf('a🙂a', 'A')", 3),
        ("@union(createArray(1, 1.0), createArray(true))", [1, 1.0, True]),
        ("@formatDateTime('2018-03-15T13:00:00.12Z', 'ss.FFF|%h|\\y|\"q\"|yyyyy')", "00.12|1|y|q|02018"),
        ("@formatDateTime('Thu, 15 Mar 2018 13:00:00 GMT', 'r')", "Thu, 15 Mar 2018 13:00:00 GMT"),
        ("@formatDateTime('2018-03-15T13:00:00+02:00')", "2018-03-15T11:00:00.0000000+00:00"),
        ("@convertTimeZone('2021-07-01T00:00:00Z', 'Tokyo Standard Time', 'utc', 's')", "2021-07-01T00:00:00"),
        ('@string(xml(json(\'{"a":{"@x":1,"b":[1,null]}}\')))', '<a x="1"><b>1</b><b /></a>'),
        ("@json(xml('<a x=\"1\"><b/><b>2</b>t</a>'))", {"a": {"@x": "1", "#text": "t", "b": [None, "2"]}}),
        ("@xpath(xml('<a><b id=\"7\"/></a>'), '/a/b/@id')", ['id="7"']),
        ("@dataUriToString('data:,a%20b')", "a b"),
        ("@decodeDataUri(dataUri(json('{\"a\":1}')))", {"a": 1}),
        (
            "@decodeDataUri('data:image/png;base64,PGEvPg==')",
            {"$content-type": "image/png;charset=us-ascii", "$content": "PGEvPg=="},
        ),
        ("@base64ToBinary('aGVs bG8=')['$content']", "aGVs bG8="),
        ("@json(xml('<?xml version=\"1.0\"?><a/>'))", {"?xml": {"@version": "1.0"}, "a": None}),
        ("@xpath(xml('<a><b>1</b></a>'), 'a/b/text()')", ["1"]),
        ("@json(xml('<a><![CDATA[x<y]]></a>'))", {"a": {"#cdata-section": "x<y"}}),
        ("@toUpper('ıß')", "ıß"),
        ("@min(3, 100.5)", 3.0),
        ("@mod(1e309, 3)", "NaN"),
        ("@sub(1e309, 1)", "Infinity"),
        ("@json('[9223372036854775808]')[0]", 9223372036854775808),
        ("@json('null')?.a.b[0]", None),
        ("@json('1)')", 1),
        ("@replace('', '', 'x')", ""),
        ("@json('true/* c */ x')", True),
        ("@less('_a', '%a')", True),
        ("@less('~', '1')", True),
        ("@less('🙂', '0')", True),
        ("@formatDateTime('2018-03-15 1 PM', 's')", "2018-03-15T13:00:00"),
        ("@formatDateTime('15-Mar-18, 13:00 PM', 's')", "2018-03-15T13:00:00"),
        ("@formatDateTime('2018 March 15 0 pm', 's')", "2018-03-15T12:00:00"),
        ("@formatDateTime('2018-03-15 13:00:00 +1', 's')", "2018-03-15T12:00:00"),
        ("@formatDateTime('2018-03-15T13:00:00Z', '''a\\''b'' KK')", "a'b ZZ"),
        ("@convertFromUtc('9999-12-31T23:00:00Z', 'Nepal Standard Time', 'u')", "9999-12-31 23:59:59Z"),
    ],
)
def test_values(text, expected):
    found = value(text)
    assert (type(found), found) == (type(expected), expected)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("@nosuch('a')", "'nosuch' is not a function of Data Factory"),
        ("@substring('abc')", "substring was given 1 arguments: it is substring(text: string, start: integer,"),
        ("@toUpper(1)", "toUpper was given integer as argument 1: it is toUpper(text: string) -> string."),
        ("@concat('a'", "has end of the expression at position 10 where ')' is expected"),
        ("@pipeline().parameters.x", "There is no property 'x'; there are: day."),
        ("@variables('x')", "There is no variable 'x' here; there are: none."),
        ("@convertToUtc('2021-03-28T02:30:00', 'W. Europe Standard Time')", "shows 2021-03-28T02:30:00 never"),
        ("@convertToUtc('2021-10-31T02:30:00', 'W. Europe Standard Time')", "shows 2021-10-31T02:30:00 twice"),
        ("@convertFromUtc('2021-07-01T00:00:00Z', 'Europe/Berlin')", "is not the Windows name of a time zone"),
        ("@item()", "item() has a value only inside a ForEach"),
        ("@addDays('2018-02-30', 1)", "'2018-02-30' is not a date and time"),
        ("@addDays('2018-03-15 7', 1)", "'2018-03-15 7' is not a date and time"),
        ("@addDays('2018-03-15 13:00 AM', 1)", "'2018-03-15 13:00 AM' is not a date and time"),
        ("@addDays('2018-03-15 1:00 PMZ', 1)", "'2018-03-15 1:00 PMZ' is not a date and time"),
        ("@addDays('2018-03-15T13:00:00+02:60', 1)", "+02:60' is not a date and time"),
        ("@convertToUtc('2018-03-15T13:00:00+05:30', 'UTC')", "leave out its Z or offset"),
        ("@json('{\"a\":{}}')?.a.b.c", "There is no property 'b'"),
        ("@json('2018-03-15T00:00:00Z')", "json was given a text that is not JSON"),
        ("@json('1{}')", "json was given a text that is not JSON"),
        ("@json('true)')", "json was given a text that is not JSON"),
        ("@json('{a:null;}')", "json was given a text that is not JSON"),
        ("@string(json('9223372036854775808'))", "does not fit into 64 bits"),
        ("@add(json('9223372036854775808'), 1)", "does not fit into 64 bits"),
        ("@base64ToString('ü')", "base64ToString was given 'ü', which is not base64"),
        ("@decodeDataUri('data:text/plain;charset=nosuch;base64,aGk=')", "the unknown charset nosuch"),
    ],
)
def test_errors_say_what_to_do(text, message):
    with pytest.raises(ExpressionError) as caught:
        value(text, parameters={"day": 1})
    assert message in str(caught.value)


def test_a_tree_is_evaluated_wherever_it_holds_expressions():
    tree = {
        "a": {"value": "@pipeline().parameters.n", "type": "Expression"},
        "b": ["x@{item()}", 1],
        "c": {"type": "SecureString", "value": "s"},
    }
    assert evaluate_tree(tree, Context(parameters={"n": 5}, item=None)) == {
        "a": 5,
        "b": ["x", 1],
        "c": {"type": "SecureString", "value": "s"},
    }


def test_the_clock_is_the_context_s():
    now = datetime(2026, 8, 12, 14, 22, 0, 120_000, tzinfo=UTC)
    assert value("@utcNow()", now=lambda: now) == "2026-08-12T14:22:00.1200000Z"


def test_what_a_type_check_knows():
    checked = check_expression("@if(equals(1, 2), add(1, 2), length('x'))")
    assert (checked.kinds, checked.problems) == ({"integer"}, [])

    def problems(text):
        return [(problem.about, problem.message) for problem in check_expression(text).problems]

    assert problems("@split('a', 1)") == [
        ("arguments", "split is given integer as argument 2: split(text: string, delimiter: string) -> array.")
    ]
    assert problems("@concat('a')[0]") == [("kind", "A value of kind string has no properties or items.")]
    assert problems("@concta('a')") == [
        ("function", "'concta' is not a function of Data Factory: did you mean 'concat'?")
    ]
