"""PSCP: a score that is discounted by what it costs."""


def pscp(
    performance: float,
    parameters: float,
    tflop: float,
    memory_gb: float,
    *,
    c_p: float,
    c_f: float,
    c_m: float,
    beta_p: float,
    beta_f: float,
    beta_m: float,
) -> dict[str, float]:
    """PEFT Soft Cost Penalties: performance times one factor a cost, ``(1 + cost / c) ** -beta`` (1 = free).

    Source: Belanec et al. 2025, PEFT-Bench (arXiv:2511.21285).

    Args:
        performance: a task's primary metric, or the mean over tasks, in points from 0 to 100; costs would raise a
            negative one.
        parameters: trainable parameters, a count.
        tflop: inference compute of one forward pass of 1 x 512 tokens, in 10^12 floating point operations. Give
            method minus base for the reading of the published table, the method's own for ``pscp_absolute``.
        memory_gb: peak memory in GB.
        c_p: parameters that halve the score at beta 1; likewise ``c_f`` in TFLOP and ``c_m`` in GB.
        c_f: see ``c_p``.
        c_m: see ``c_p``.
        beta_p: how much parameters weigh, 0 for not at all; likewise ``beta_f`` and ``beta_m``.
        beta_f: see ``beta_p``.
        beta_m: see ``beta_p``.

    >>> scores = pscp(80.0, 0, 10.0, 0.0, c_p=5e8, c_f=10.0, c_m=94.0, beta_p=1.0, beta_f=1.0, beta_m=1.0)
    >>> scores["pscp"], scores["pscp_factor_compute"]
    (40.0, 0.5)
    """
    factors = {
        "pscp_factor_parameters": _factor("parameters", parameters, c_p, beta_p),
        "pscp_factor_compute": _factor("tflop", tflop, c_f, beta_f),
        "pscp_factor_memory": _factor("memory_gb", memory_gb, c_m, beta_m),
    }
    score = performance
    for factor in factors.values():
        score *= factor
    return {"pscp": score, **factors}


def _factor(name: str, cost: float, scale: float, weight: float) -> float:
    # A method may need less than its base, so a difference may be negative, but not by a whole scale.
    if scale <= 0 or cost <= -scale:
        raise ValueError(f"{name}: {cost} with the constant {scale} has no penalty; cost / constant must be above -1")
    return float((1 + cost / scale) ** -weight)
