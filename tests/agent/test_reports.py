"""What the agent tells of changes alone makes the same whole as what it tells of everything."""

from perron.runtime.engines.node import merged

from .conftest import AgentProcess, web, wish


def test_a_report_of_changes_names_what_changed_and_makes_the_same_whole(
    agents: AgentProcess,
) -> None:
    both = (wish(web()), wish(web(), environment="env_b", app="other"))
    agents.wish(*both)
    agents.until_routed("env_a")
    agents.until_routed("env_b")
    before = agents.report()
    agents.wish(wish(web(count=2)), both[1])
    agents.until(lambda: len(agents.report().environments[0].instances) == 2, "two instances")
    partial = agents.report(after=before.sequence, changes=True)
    assert partial.partial
    assert [each.environment for each in partial.environments] == ["env_a"]
    whole = {each.environment: each for each in merged(before, partial).environments}
    assert {name: each.generation for name, each in whole.items()} == {"env_a": 2, "env_b": 2}
    assert len(whole["env_a"].instances) == 2


def test_when_an_environment_has_gone_the_whole_is_told(agents: AgentProcess) -> None:
    agents.wish(wish(), wish(environment="env_b", app="other"))
    before = agents.until(lambda: len(agents.report().environments) == 2 and agents.report(), "two")
    agents.wish(wish(), gone=("env_b",))
    agents.until(lambda: len(agents.report().environments) == 1, "gone")
    told = agents.report(after=before.sequence, changes=True)
    assert not told.partial
    assert [each.environment for each in told.environments] == ["env_a"]
