"""What exists after a step that tags something."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tests.support.state.after_base import Impossible, step_after
from tests.support.state.cloud import State
from tests.support.state.names import Tag


@step_after.register
def _(step: Tag, there: State) -> State:
    role, api, functions, groups = there.role, there.api, there.functions, there.log_groups
    if step.service == "iam" and role:
        return replace(there, role=replace(role, tags=_retag(role.tags, step)))
    if step.service == "apigateway" and api:
        return replace(there, api=replace(api, tags=_retag(api.tags, step)))
    name = next(iter(step.target.values())).rpartition(":")[2].removeprefix("/aws/lambda/")
    if step.service == "lambda" and name in functions:
        tagged = replace(functions[name], tags=_retag(functions[name].tags, step))
        return replace(there, functions={**functions, name: tagged})
    if step.service == "logs" and name in groups:
        group = replace(groups[name], tags=_retag(groups[name].tags, step))
        return replace(there, log_groups={**groups, name: group})
    rule = next(iter(step.target.values())).rpartition("/")[2]
    if step.service == "events" and rule in there.rules:
        retagged = replace(there.rules[rule], tags=_retag(there.rules[rule].tags, step))
        return replace(there, rules={**there.rules, rule: retagged})
    raise Impossible(f"{step}: it does not exist")


def _retag(before: Mapping[str, str], step: Tag) -> dict[str, str]:
    """Return the tags after some are set and others are removed."""
    tags = {**before, **step.tags}
    return {key: tags[key] for key in tags if key not in step.removed}
