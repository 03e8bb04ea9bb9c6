"""Project settings, as Kedro reads them."""

from peft_pipelines.config.conf_loader import ConfLoader
from peft_pipelines.hooks import ProjectHooks
from peft_pipelines.running.selection import CheckedSession

HOOKS = (ProjectHooks(),)

# kedro-viz records runs of the stock runner only and warns at each other one.
DISABLE_HOOKS_FOR_PLUGINS = ("kedro-viz", "kedro-telemetry")

SESSION_CLASS = CheckedSession
CONFIG_LOADER_CLASS = ConfLoader
CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "local",
    "config_patterns": {"grid": ["grid*", "grid/**"]},
    "merge_strategy": {"parameters": "soft"},
}
