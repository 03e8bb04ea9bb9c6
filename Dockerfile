# Images in which a study runs: `docker build --target=cpu .` and `docker build --target=cuda .`; `dev` is for changing the
# code (.devcontainer). Every image runs as a user without rights, and has the releases of constraints.txt.
FROM python:3.11.14-slim-bookworm AS base
ENV HOME=/home/study \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PYTHONUNBUFFERED=1
# git: which commit a study is at belongs to a run's record. Debian keeps one release of a package for a base image, so
# the tag of the base pins these.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git make \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid=1000 --home-dir="$HOME" --no-create-home study \
    && install --directory --mode=1777 "$HOME" /study
# /study is the folder of a study; under another user (`--user`) the home folder can be written too.
WORKDIR /study


FROM base AS dev
USER 1000


FROM base AS wheel
COPY . /source
RUN pip wheel --no-deps --wheel-dir=/wheels /source \
    && cp /source/constraints.txt /wheels/


# The package index has torch for CUDA, with CUDA's libraries; of NVIDIA's the machine needs the driver and the container
# toolkit alone. Kernels are compiled when they are first used, hence the compiler.
FROM base AS cuda
ENV NVIDIA_DRIVER_CAPABILITIES=compute,utility \
    NVIDIA_VISIBLE_DEVICES=all
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/*
RUN --mount=type=bind,from=wheel,source=/wheels,target=/wheels \
    pip install --constraint=/wheels/constraints.txt /wheels/*.whl \
    && python -c "import torch; assert torch.version.cuda, 'torch is not built for CUDA'"
USER 1000
ENTRYPOINT ["peft-pipelines"]
CMD ["--help"]


# The index of torch itself has it without CUDA. Only torch is taken from there, all else from the package index.
FROM base AS cpu
RUN --mount=type=bind,from=wheel,source=/wheels,target=/wheels \
    pip install --no-deps --index-url=https://download.pytorch.org/whl/cpu \
        "$(grep --only-matching '^torch==[0-9.]*' /wheels/constraints.txt)" \
    && pip install --constraint=/wheels/constraints.txt /wheels/*.whl \
    && python -c "import torch; assert not torch.version.cuda, 'torch is built for CUDA'"
USER 1000
ENTRYPOINT ["peft-pipelines"]
CMD ["--help"]
