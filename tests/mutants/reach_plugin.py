"""Reach of each test, as a pytest plugin: it names the test or shared fixture for `reached`, and takes its seconds."""

import json
import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from reached import CONTEXT, enter, write

settings.register_profile("reach", deadline=None, suppress_health_check=list(HealthCheck), max_examples=3)
_seconds: dict[str, float] = {}


def _fixture_name(fixture: pytest.FixtureDef[object]) -> str:
    return f"fixture {fixture.argname} of {fixture.baseid}"


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[object]:
    enter(json.dumps(item.nodeid))
    result = yield
    enter("")
    return result


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[object]) -> Iterator[object]:
    """What a shared fixture reaches counts for every test that asks for it, not for the first one only."""
    before = os.environ.get(CONTEXT, "")
    if fixturedef.scope == "function":
        return (yield)
    enter(json.dumps(_fixture_name(fixturedef)))
    result = yield
    enter(before)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[pytest.TestReport]:
    report = yield
    _seconds[item.nodeid] = _seconds.get(item.nodeid, 0.0) + call.duration
    if not report.passed:
        _seconds[item.nodeid] = float("inf")  # skipped, or failing without a mutant: it can kill nothing
    if call.when == "teardown":
        used = item._fixtureinfo.name2fixturedefs.values()  # type: ignore[attr-defined]
        fixtures = sorted({_fixture_name(each) for several in used for each in several if each.scope != "function"})
        write(f"tests-{os.getpid()}.jsonl", json.dumps([item.nodeid, _seconds[item.nodeid], fixtures]))
    return report
