"""Ciw, an independent engine, on queues without a closed form: both estimates within their joint interval."""

import pytest
import reference_cases as cases

pytest.importorskip("ciw")


def check(rows):
    assert rows
    wrong = [str(row) for row in rows if not row.agrees]
    assert not wrong, "\n".join(wrong)


def test_two_priorities():
    check(cases.ciw_priorities(10))


def test_a_day_of_teams_that_relieve_one_another():
    check(cases.ciw_day(60))


def test_a_full_waiting_room():
    check(cases.ciw_room(12))
