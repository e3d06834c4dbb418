"""The rules of what Snowflake refuses: why, what to write instead, and where its documentation says so."""

from __future__ import annotations

from dataclasses import dataclass

DOCS = "https://docs.snowflake.com/en/"


@dataclass(frozen=True)
class Rule:
    """Why a form is refused, what to write instead, the `source` page, and the `pattern` that finds it in code."""

    reason: str
    cure: str
    source: str
    pattern: str = ""


@dataclass(frozen=True)
class Finding:
    """A rule that a line breaks, with the text that breaks it."""

    rule: str
    line: int
    text: str
    file: str = ""
    why: str = ""

    def __str__(self) -> str:
        rule = RULES[self.rule]
        return (
            f"{self.file}:{self.line}: [{self.rule}] {self.text}: {self.why or rule.reason}. Instead: {rule.cure} "
            f"({DOCS}{rule.source})"
        )


# What privileges are granted on: the first words of the kinds of objects.
GRANTED = (
    "account|agent|aggregation|alert|all|api|application|authentication|compute|connection|contact|cortex|database|dataset|"
    "dynamic|event|external|failover|file|function|future|git|hybrid|iceberg|image|integration|join|masking|materialized|"
    "model|network|notebook|notification|packages|password|pipe|privacy|procedure|projection|replication|resource|row|schema|"
    "secret|semantic|sequence|service|session|snapshot|stage|storage|stream|streamlit|table|tag|task|user|view|warehouse|"
    "workspace"
)


def _sql(page: str) -> str:
    return f"sql-reference/{page}"


RULES = {
    "syntax": Rule(
        "it does not parse as Snowflake's SQL", "compare with the page of the statement", _sql("constructs")
    ),
    "function": Rule(
        "Snowflake has no such function",
        "one of check_sql/functions.txt; a name belongs there only with its page",
        _sql("functions-all"),
    ),
    "arguments": Rule("the number of arguments is another one", "the page of the function", _sql("functions-all")),
    "argument-form": Rule(
        "arguments are a plain list: no order by, keyword or lambda among them",
        "within group (order by …); trim(x, chars); substr(x, from, length)",
        _sql("functions/listagg"),
    ),
    "type": Rule(
        "Snowflake has no such type, or not of that size",
        "number(p, s), varchar, array, variant, …",
        _sql("intro-summary-data-types"),
    ),
    "date-part": Rule(
        "it is no date or time part", "year, quarter, month, week, day, hour …", _sql("functions-date-time")
    ),
    "reserved": Rule("the word is reserved", "another name", _sql("reserved-keywords")),
    "regex": Rule(
        "Snowflake's regular expressions have no non-greedy quantifier, no (?…) and no reference back within a pattern",
        "a negated class, such as [^)]*",
        _sql("functions-regexp"),
    ),
    "regex-escape": Rule(
        "in '…' a backslash is taken away before the regular expression sees it: '\\d' is d",
        "a class such as [0-9], '\\\\d', or $$\\d$$",
        _sql("functions-regexp"),
    ),
    "regex-flags": Rule(
        "the fourth argument of regexp_replace is a position",
        "leave it out: all matches are replaced",
        _sql("functions/regexp_replace"),
    ),
    "literal": Rule(
        "there is no such kind of literal",
        "'…', $$…$$, x'…', 1000000, date '…', time '…', timestamp '…', '…'::timestamp_ntz",
        _sql("data-types-text"),
        r"(?<![\w.])\d+_\d|\$[a-z_]\w*\$|\b[eub]&?'|\b(timestamp_?(ntz|ltz|tz)|datetime|timetz|with(out)?\s+time\s+zone)\s+'",
    ),
    "struct": Rule(
        "an object's keys are text, and there is no map literal or row constructor",
        "{'key': value}, object_construct('key', value)",
        _sql("data-types-semistructured"),
        r"\bmap\s*(\{|\(\s*\[)|\barray\s*(\[[^\[\]]*,|\[\s*\[|\(\s*select\b)|(?<!sample )\brow\s*\((?!\s*[\d.]+\s*\))|\bselect\s+\(?@|(?<=[{,])\s*[A-Za-z_]\w*\s*:(?![:=])(?=[^{}]*\})",
    ),
    "slice": Rule(
        "there is no slice",
        "array_slice, substr",
        _sql("functions/array_slice"),
        r"(?<=[\w)\]'])\[[^\[\]]*(?<!:):(?!:)[^\[\]]*\]",
    ),
    "lambda": Rule(
        "lambdas are x -> …, in filter, transform, reduce and accumulate alone",
        "lateral flatten, or one of these",
        _sql("functions/filter"),
        r"\blambda\s+\w+(\s*,\s*\w+)*\s*:",
    ),
    "aggregate-filter": Rule(
        "there is no filter (where …)",
        "count_if(…), or sum(iff(…, x, null))",
        _sql("functions-aggregation"),
        r"\)\s*filter\s*\(\s*where\b",
    ),
    "distinct-on": Rule(
        "there is no distinct on",
        "qualify row_number() over (…) = 1",
        _sql("sql/select"),
        r"\bdistinct\s+on\s*\(",
    ),
    "time-zone": Rule(
        "there is no at time zone",
        "convert_timezone('UTC', …)",
        _sql("functions/convert_timezone"),
        r"\bat\s+time\s+zone\b",
    ),
    "integer-division": Rule("// begins a comment", "floor(a / b)", _sql("operators-arithmetic"), r"//"),
    "interval": Rule(
        "an interval's amount and unit are one text, and an interval is added to or taken from a date, no more",
        "interval '1 day', or dateadd",
        _sql("data-types-datetime"),
        r"\binterval\s+[\d(]|\binterval\s+'\s*'\s+(year|quarter|month|week|day|hour|minute|second)s?\b|\binterval\s+[a-z_]\w*\s+(year|month|day|hour|minute|second)",
    ),
    "limit": Rule(
        "a limit is a number of rows",
        "sample, or qualify",
        _sql("constructs/limit"),
        r"\blimit\s*(\Z|[;)])|\blimit\s+[\d.]+\s*(%|percent\b)|\blimit\s+all\b|\btop\s+\d+\s+percent\b|\bselect\s+top\s*\(",
    ),
    "operator": Rule(
        "Snowflake has no such operator",
        "= for ==, power, bitand, bitor, bitxor, bitshiftleft, regexp_like, startswith, get_path, arrays_overlap",
        _sql("operators"),
        r"==|\*\*|!~|#|(?<![<>!=|&*@])~(?!/)|\^@?|&|<<|@>|<@|(?<!\|)\|(?!\|)|->>(?!\s*(select|with|show|insert|"
        r"create|call|describe|desc|update|delete|merge|copy|truncate|drop|alter)\b)|\bglob\b(?=\s+['\"\w])|\bsimilar\s+to\b|"
        r"\b(is\s+not|isnull|notnull)\s*$|\bnotnull\b|\bisnull\b",
    ),
    "assignment": Rule("a name is given with =>", "name => value", "developer-guide/udf/udf-calling-sql", r":="),
    "join": Rule(
        "Snowflake has no such join, and a cross join no condition",
        "exists, not exists, a join on row_number, asof join … match_condition (a >= b) on …",
        _sql("constructs/join"),
        r"\b(semi|anti|positional)\s+join\b|\basof\s+(left|inner|right)\b|\b(left|inner)\s+asof\b",
    ),
    "asof": Rule(
        "an asof join needs match_condition, with >=, <=, > or <",
        "asof join t match_condition (a.at >= t.at) on …",
        _sql("constructs/asof-join"),
        r"\basof\s+join\b(?![\s\S]*?\bmatch_condition\b)|\bmatch_condition\s*\([^()]*<>"
        r"|\bmatch_condition\s*\((?:[^()<>]|\((?:[^()<>]|\([^()<>]*\))*\))*\)",
    ),
    "from-first": Rule(
        "a query begins with select",
        "select * from …",
        _sql("sql/select"),
        r"(?:\A|(?<=\()|\b(union|all|except|intersect|as)\b)\s*from\s+(?!@)(?=\w)",
    ),
    "columns": Rule(
        "there is no columns(…)",
        "* ilike, exclude, replace, rename, or the names",
        _sql("sql/select"),
        r"(?<!\w)\*?columns\s*\(\s*['*\[\w]",
    ),
    "star": Rule(
        "* is followed by ilike, exclude, replace or rename, in that order",
        "* exclude (a)",
        _sql("sql/select"),
        r"(?:(?<=\bselect\s)|(?<=[,.]))\s*\*\s*(not\s+)?(like|similar|glob|except)\b(?!\s+select\b)",
    ),
    "sample": Rule(
        "a sample is sample (10) or sample (10 rows)",
        "sample (10)",
        _sql("constructs/sample"),
        r"\busing\s+sample\b|\b(table)?sample\s+(reservoir\b|\d)|\bsample\s*\(\s*\d+\s*(%|percent)",
    ),
    "upsert": Rule(
        "there is no on conflict, insert or replace, insert by name, returning",
        "merge",
        _sql("sql/merge"),
        r"\bon\s+conflict\b|\binsert\s+or\s+|\breturning\b|\binsert\s+into\s+[\w.\"]+\s+by\s+(name|position)\b",
    ),
    "merge": Rule(
        "a merge matches on a condition, and has no by source, by target, do nothing, no bare update or insert, and no where",
        "when matched then update set …, when not matched then insert (…) values (…)",
        _sql("sql/merge"),
        r"\bnot\s+matched\s+by\s+(source|target)\b|\bthen\s+(do\s+nothing|error)\b|\bthen\s+(update|insert)\s*(\*|\Z|when\b|;)"
        r"|\bthen\s+update\s+set\s*(\*|\Z)|\bthen\s+insert\s+by\b",
    ),
    "set-operator": Rule(
        "intersect, except and minus have no all",
        "a join on row_number",
        _sql("operators-query"),
        r"\b(intersect|except|minus)\s+all\b",
    ),
    "materialized": Rule(
        "a common table expression is not materialized by word",
        "leave it out",
        _sql("constructs/with"),
        r"\bas\s+(not\s+)?materialized\s*\(|\busing\s+key\b",
    ),
    "named-window": Rule(
        "there is no window clause",
        "the window where it is used",
        _sql("functions-window-syntax"),
        r"\bwindow\s+\w+\s+as\s*\(|\bover\s+(?!\()\w+",
    ),
    "frame": Rule(
        "a frame is of rows or a range, in an order, from its start to its end, without exclusions",
        "order by … rows between … and …",
        _sql("functions-window-syntax"),
        r"\bover\s*\(\s*(partition\s+by\s+(?:(?!\border\s+by\b)[^()])*)?(rows|range)\s+(between|unbounded|current|\d)|\bgroups\s+between\b|\bgroups\s+(unbounded|current|\d)|\bexclude\s+(current\s+row|group|ties|no\s+others)\b"
        r"|\bbetween\s+(current\s+row|\d+\s+following)\s+and\s+\d+\s+preceding\b"
        r"|\bbetween\s+(unbounded|\d+)\s+following\s+and\s+current\s+row\b|\bbetween\s+unbounded\s+following\b"
        r"|\band\s+unbounded\s+preceding\b",
    ),
    "any-list": Rule(
        "any and all compare with a subquery",
        "in (…), or array_contains(x::variant, list)",
        "user-guide/querying-subqueries",
        r"[=<>]\s*(any|all|some)\s*\((?!\s*(\(\s*)?(select|with|values)\b)|\bi?like\s+(any|all)\s*\[",
    ),
    "statement": Rule(
        "a statement of another engine's",
        "none: Snowflake has no need of it",
        _sql("sql-all"),
        r"\A\s*(pragma|attach|detach|install|load|summarize|checkpoint|export|import|vacuum|analyze|reset|prepare|deallocate|"
        r"savepoint|release|reindex|force|pivot|unpivot|describe\s+select|explain\s+analyze|values)\b|\(\s*(summarize|describe|pivot|unpivot)\s+\w|"
        r"\bcreate\s+(or\s+replace\s+)?(temp(orary)?\s+)?(macro|type|index|trigger|persistent\s+secret)\b|"
        r"\A\s*create\s+(or\s+replace\s+)?((temp(orary)?|transient)\s+)?table\b.*\)\s*partition\s+by\b|"
        r"\A\s*(drop|alter)\s+(macro|type|trigger|domain|rule|extension|aggregate|publication)\b|\A\s*set\s+(global|session|local)\s",
    ),
    "create": Rule(
        "or replace and if not exists exclude each other",
        "one of them",
        _sql("sql/create-table"),
        r"\bcreate\s+or\s+replace\b[^(]*?\bif\s+not\s+exists\b",
    ),
    "alter": Rule(
        "the form of alter table is another",
        "rename column a to b; alter column a set data type …; add column …, which comes last",
        _sql("sql/alter-table"),
        r"\balter\s+index\b|\badd\s+(column\s+)?[\w\"]+\s+\w[\w(), ]*?\s(after\s+[\w\"]+|first)\s*(,|\Z)|\balter\s+table\s+(if\s+exists\s+)?[\w.\"]+\s+(rename\s+(?!to\b|column\b|constraint\b)|set\s+schema\b|alter\s+(column\s+)?[\w\"]+\s+(set\s+data\s+type|type)\s+[\w(), ]+\busing\b)",
    ),
    "drop": Rule(
        "a drop names one object, and a function its arguments' types",
        "a statement for each; drop function f(int)",
        _sql("sql/drop"),
        r"\A\s*drop\s+[^(,]*,|\A\s*drop\s+(function|procedure)\s+[^(]*\Z|\A\s*drop\b.*\bpurge\s*\Z",
    ),
    "with": Rule(
        "a common table expression belongs to a select",
        "insert into t with … select …; merge into t using (with … select …)",
        _sql("constructs/with"),
    ),
    "table-function": Rule(
        "a table function is read through table(…) or lateral",
        "table(flatten(…)), lateral flatten(…)",
        _sql("functions-table"),
    ),
    "lateral": Rule(
        "a subquery in from sees the tables beside it only as lateral, without a limit, and a lateral function takes no "
        "condition",
        "lateral (select …), lateral flatten(input => …, outer => true)",
        "release-notes/bcr-bundles/2023_04/bcr-1057",
    ),
    "only": Rule(
        "tables have no children that only could leave out",
        "the table alone",
        _sql("constructs/from"),
        r"\b(from|join|update|into|truncate|table)\s+only(\s*\(|\s+(?!(where|group|order|limit|join|set|on|as|qualify|values)\b)[\w\"])",
    ),
    "identity": Rule(
        "a column that counts is autoincrement or identity, and a sequence has a start, an increment and an order",
        "identity (1, 1); create sequence s start = 1 increment = 1",
        _sql("sql/create-table"),
        r"\bgenerated\s+(always|by\s+default)\s+as\s+identity\b|\)\s*(stored|virtual)\b"
        r"|\A\s*(create|alter)\b[^(]*\bsequence\b.*\b(minvalue|maxvalue|cache|cycle|owned\s+by)\b",
    ),
    "language": Rule(
        "functions and procedures are written in SQL, Java, JavaScript, Python or Scala",
        "language sql",
        _sql("sql/create-function"),
        r"\A\s*create\b[^(]*\b(function|procedure)\b[\s\S]*\blanguage\s+(?!(sql|java|javascript|python|scala)\b)['\w]",
    ),
    "collation": Rule("a collation is text", "collate 'en-ci'", _sql("collation"), r"\bcollate\s+[\w\"]"),
    "grant": Rule(
        "a privilege that the kind of object has is granted on an object of a named kind, whole, to a role",
        "grant select on table t to role r [with grant option]",
        _sql("sql/grant-privilege"),
        r"\A\s*(grant|revoke)\s+\w+\s*\(|\A\s*(grant|revoke)\b.*\bwith\s+(admin|hierarchy)\s+option\b"
        r"|\A\s*grant\b[^(]*\bto\s+(role\s+)?[\w\"]+\s*,"
        rf"|\A\s*(grant|revoke)\b(?!\s+((database|application)\s+)?role\b)[^(]*?\bon\s+(?!({GRANTED})\b)[\w\"]",
    ),
    "materialized-view": Rule(
        "a materialized view reads one table, without joins, windows, having, order, limit, qualify or grouping sets",
        "a dynamic table",
        "user-guide/views-materialized",
    ),
    "cast": Rule(
        "values of that type are not cast to this one, or the type is missing",
        "cast(x as type), date_part(epoch_second, …), to_timestamp_ntz(…), iff(…, 1, 0)",
        _sql("data-type-conversion"),
        r"\b(try_)?cast\s*\((?:(?!\bas\b)[^()]|\([^()]*\))*\)",
    ),
    "copy": Rule(
        "copy is copy into, with options of its own, each with its value",
        "copy into table from @stage, copy into @stage from table, option = value",
        _sql("sql/copy-into-table"),
        r"\A\s*copy\s+(?!into\b|files\b|grants\b)",
    ),
    "copy-select": Rule(
        "the select of a copy takes columns by number, casts and a few functions: no *, distinct, where, join, group, order, "
        "limit or flatten",
        "load first, then transform",
        "user-guide/data-load-transform",
    ),
    "copy-limit": Rule(
        "a copy names 1,000 files at most, and each option once", "several copies", _sql("sql/copy-into-table")
    ),
    "option": Rule(
        "the option has a closed list of values, and this is none of them",
        "one of those that the page of the statement names",
        _sql("sql-all"),
    ),
    "block": Rule(
        "each statement in a block of Snowflake Scripting ends with a semicolon",
        "begin let x := 1; return x; end",
        "developer-guide/snowflake-scripting/blocks",
    ),
    "backtick": Rule("names are quoted with double quotes", '"name"', _sql("identifiers-syntax"), r"`"),
    "method": Rule("functions are not methods", "upper(x)", _sql("functions-all")),
    "ordinality": Rule(
        "there is no with ordinality", "flatten's index", _sql("functions/flatten"), r"\bwith\s+ordinality\b"
    ),
    "order-of-window": Rule(
        "the function needs an order", "over (… order by a full key)", _sql("functions-window-syntax")
    ),
    "window": Rule(
        "windows and aggregates have a place of their own",
        "a subquery, having, or qualify",
        _sql("functions-window-syntax"),
    ),
    "grouping": Rule(
        "the column is neither grouped by nor aggregated, or an order is by what distinct or a group has taken out",
        "group by it, or any_value(…)",
        _sql("constructs/group-by"),
    ),
    "subquery": Rule(
        "a correlated subquery is one aggregate with equalities, or exists and in without limit",
        "a join, or qualify",
        "user-guide/querying-subqueries",
    ),
    "operand": Rule(
        "the function does not take a value of that type", "a cast, iff, or another function", _sql("functions-all")
    ),
    "name": Rule(
        "the name is ambiguous, doubled or not there",
        "say whose column it is, and give each a name of its own",
        _sql("identifiers-syntax"),
    ),
    "columns-count": Rule("the numbers of columns differ", "the same number on both sides", _sql("operators-query")),
    "ddl-in-transaction": Rule(
        "it commits the open transaction, and a rollback cannot take it back",
        "create before begin",
        _sql("transactions"),
    ),
}
