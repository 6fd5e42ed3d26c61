"""Teaches schemathesis the formats of the document that are this API's own."""

from datetime import date

import schemathesis
from hypothesis import strategies as st

amounts = st.integers(0, 700)
operators = st.sampled_from([">", ">=", "<", "<=", "="])
terms = st.sampled_from(["repeat", "mobile", "landline", "sms_sent", "during_hours", "in_region"])
presses = st.integers(1, 9).map("pressed[{}]".format)
quoted = st.sampled_from(['media_type = "Radio"', 'custom_data[channel] present'])


def times(word):
    unit = st.sampled_from(["", " sec", " min", " hours"])
    return st.builds("{} {} {}{}".format, st.just(word), operators, amounts, unit)


def joined(leaves):
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            inner.map("not ({})".format),
            st.builds("({}) and ({})".format, inner, inner),
            st.builds("{} OR {}".format, inner, inner),
        ),
        max_leaves=5,
    )


during = joined(st.one_of(terms, presses, quoted))
after = joined(st.one_of(terms, presses, quoted, times("duration"), times("connect_duration")))
numbers = st.integers(2_000_000_000, 9_999_999_999).map(str)
days = st.dates(date(2000, 1, 1), date(2099, 12, 31)).map(str)

schemathesis.openapi.format("condition", st.one_of(st.just(""), after))
schemathesis.openapi.format("ivr-condition", during)
schemathesis.openapi.format("phone-number", st.one_of(numbers, numbers.map("+44{}".format)))
schemathesis.openapi.format("moment", st.one_of(days, days.map("{}T12:30:00-07:00".format)))
schemathesis.openapi.format("partner-name", st.just("channel"))
