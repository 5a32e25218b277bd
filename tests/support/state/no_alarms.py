"""What deploy knows of the alarms of an account that has none. `alarm_account` has some."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gimel.deploy.resources.alarm_record import ALARM_RECORD
from gimel.deploy.resources.alarm_topic import ALARM_TOPIC
from gimel.deploy.resources.alarms import ALARMS
from gimel.deploy.resources.base import Resource

NO_ALARMS: Mapping[Resource[Any], Any] = {ALARM_RECORD: False, ALARM_TOPIC: None, ALARMS: {}}
