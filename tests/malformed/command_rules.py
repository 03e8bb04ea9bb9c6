"""What can be wrong on the command line."""

from malformed import Rule, nothing

RULES = [
    Rule("unknown pipeline", nothing, ["--pipelines: unknown pipeline 'daata'", "'data'"], ("run", "--pipeline=daata")),
]
