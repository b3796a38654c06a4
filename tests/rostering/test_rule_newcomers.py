"""Shifts that newcomers may work."""

from lines import alone, broken, in_vain, optimum, roster

from planner.rostering.problem import Terms

RULE = "newcomers"
NEW = Terms(only_kinds=frozenset("D"))


def test_only_those_of_the_kinds():
    assert broken(RULE, alone(NEW, "DDDD"), "DD-D") == []
    assert broken(RULE, alone(NEW, "DDDD"), "DLDN") == [(0, 1, 1), (0, 3, 1)]
    assert broken(RULE, alone(NEW._replace(only_kinds=frozenset()), "D"), "D") == [(0, 0, 1)]
    assert broken(RULE, alone(Terms(), "DLN"), "DLN") == []


def test_the_optimiser_keeps_it_or_pays():
    assert optimum(alone(NEW, "DLLD")) == 20
    assert optimum(alone(NEW, "DLLD", prices={RULE: 4})) == 8
    assert optimum(alone(NEW, "DLLD", prices={RULE: 14})) == 20


def test_it_is_told_where_other_rules_leave_nothing_else():
    assert in_vain(alone(NEW._replace(least_shifts=2), "LL", kinds="L")) == ["least_shifts"]
    assert in_vain(alone(NEW, "DL"), start=roster("-L"), free={(0, 0)}) == [RULE]
