"""How answers are drawn that are not greedy: temperature, top-k, top-p and a seed."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final

from pydantic import Field, ValidationError

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.config.spec import Count, Seed, Spec, shown

HOTTEST: Final = 100.0
SEEDS: Final = 2**32


class Sampling(Spec):
    """How tokens are drawn; scores of the benchmark are never made of such answers."""

    temperature: Annotated[float, Field(gt=0, le=HOTTEST)] = Field(
        description="What logits are divided by: below 1 likely tokens become likelier."
    )
    top_k: Count | None = Field(None, description="Only so many of the likeliest tokens are drawn from.")
    top_p: Annotated[float, Field(gt=0, le=1)] | None = Field(
        None, description="Only the likeliest tokens are drawn from that together have this probability."
    )
    seed: Seed = Field(0, description="The same seed, prompt and machine give the same answer.")

    def nth(self, number: int) -> "Sampling":
        """Return the same with the seed of the ``number``-th answer, so that answers of a seed are drawn apart."""
        return self.model_copy(update={"seed": (self.seed + number) % SEEDS})


def sampling_of(values: Mapping[str, Any], shown_name: Callable[[str], str] = str) -> Sampling | None:
    """Return how tokens are drawn, by options some of which may be None; None for greedy answers.

    Args:
        values: the fields of ``Sampling``.
        shown_name: how errors call a field.

    Raises:
        ConfigError: a value is out of its range, or there is one without a temperature.

    >>> sampling_of({"temperature": None, "top_p": 0.9})
    Traceback (most recent call last):
    peft_pipelines.config.errors.ConfigError: top_p: is for answers with a temperature, got 0.9 without one
    """
    given = {name: value for name, value in values.items() if value is not None}
    if given and "temperature" not in given:
        name, value = next(iter(given.items()))
        raise ConfigError(f"{shown_name(name)}: is for answers with a temperature, got {shown(value)} without one")
    try:
        return Sampling.model_validate(given) if given else None
    except ValidationError as error:
        first = error.errors()[0]
        rule = first["msg"].replace("Input should", "must")  # as pydantic words it
        raise ConfigError(f"{shown_name(str(first['loc'][0]))}: {rule}, got {shown(first['input'])}") from None
