"""After `kedro new --starter=peft-pipelines`: adds what the template and the package hold once."""

from pathlib import Path

from peft_pipelines.cli.starter import fill

fill(Path.cwd())
