"""What can be wrong on the command line: each option with each fault that its kind of value can have."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from malformed import Rule, nothing

SELECTIONS = {
    "--tags": ("tag", "mood", "moood"),
    "--nodes": ("node", "mood-adapt", "mood-adopt"),
    "--from-nodes": ("node", "mood-adapt", "mood-adopt"),
    "--to-nodes": ("node", "zero_shot.tiny-mood-s0-score", "tiny-mood-s0-score"),
    "--namespaces": ("namespace", "zero_shot", "zero_shoot"),
    "--from-inputs": ("data set", "mood_raw", "mood_rows"),
    "--to-outputs": ("data set", "mood_prompts", "mood_prompt"),
    "--pipelines": ("pipeline", "data", "dta"),
}
"""Options that take names with commas between them: what they name, such a name, and one that is nearly it."""


def named(option: str, kind: str, good: str, near: str) -> list[Rule]:
    """The faults of names."""
    unknown, empty = f"{option}: unknown {kind}", f"{option}: must be names with commas between them"
    faults: list[tuple[str, tuple[str, ...], list[str]]] = [
        ("a name that is nearly one", (f"{option}={near}",), [f"{unknown} '{near}', did you mean '{good}'? Allowed: "]),
        ("a name of nothing", (f"{option}=qqqqqq",), [f"{unknown} 'qqqqqq'. Allowed: ", good]),
        ("a good name and a bad one", (f"{option}={good},{near}",), [f"{unknown} '{near}'"]),
        ("a long name", (option, "x" * 3000), [f"{unknown} 'xxx", good]),
        ("an escape sequence", (f"{option}=\x1b[2J",), [f"{unknown} '\\x1b[2J'"]),
        ("nothing", (f"{option}=",), [f"{empty}, got an empty one in ''"]),
        ("blanks", (option, "  "), [f"{empty}, got an empty one in '  '"]),
        ("nothing between commas", (f"{option}={good},,{good}",), [f"{empty}, got an empty one in '{good},,{good}'"]),
        ("a comma at the end", (f"{option}={good},",), [f"{empty}, got an empty one in '{good},'"]),
        ("a name twice", (f"{option}={good},{good}",), [f"{option}: must name each once, got '{good}' twice"]),
        (
            "the option twice",
            (f"{option}={good}", f"{option}={good}"),
            [f"{option}: is given 2 times; once is allowed"],
        ),
        ("the character NUL", (f"{option}={good}\0",), ["argument 1", "must be text", "the character NUL"]),
        ("no UTF-8", (f"{option}=\udcff",), ["argument 1", "must be text", "a byte that is not UTF-8"]),
    ]
    return [Rule(f"{option}: {fault}", nothing, says, ("run", *given)) for fault, given, says in faults]


NAMES = [rule for option, (kind, good, near) in SELECTIONS.items() for rule in named(option, kind, good, near)]

KEYS = (
    "Allowed: energy, execution, methods, models, pscp, published, raw, sampling, seeds, store, tasks, trackers, "
    "training"
)
PARAMS = {
    "raww=x": ["--params: unknown key 'raww', did you mean 'raw'?", KEYS],
    "stor=x": ["--params: unknown key 'stor', did you mean 'store'?", KEYS],
    "modle=x": ["--params: unknown key 'modle', did you mean 'models'?", KEYS],
    "Store=x": ["--params: unknown key 'Store', did you mean 'store'?"],
    "a.b.c=1": ["--params: unknown key 'a'. ", KEYS],
    "grid.tasks=[nope]": ["--params: unknown key 'grid'", KEYS],
    "globals.store=x": ["--params: unknown key 'globals'", KEYS],
    "store=x,raww=y": ["--params: unknown key 'raww'"],
    "store=": ["--params, store: must have a value, got none"],
    "store=null": ["--params, store: must be a folder's path, got None"],
    "store=5": ["--params, store: must be a folder's path, got 5; write ./5"],
    "store=1.5": ["--params, store: must be a folder's path, got 1.5"],
    "store=true": ["--params, store: must be a folder's path, got True"],
    "store=[x]": ["--params, store: must be a folder's path, got ['x']"],
    "store={x: y}": ["--params, store: must be a folder's path, got {'x': 'y'}"],
    "store.x=y": ["--params, store: must be a folder's path, got {'x': 'y'}"],
    "store=' '": ["--params, store: must be a folder's path, got ' '"],
    "store=~/results": ["--params, store: '~' is not expanded here, write the whole path, got '~/results'"],
    "raw=7": ["--params, raw: must be a folder's path, got 7"],
    "weights=[]": ["--params, weights: must be a folder's path, got []"],
    "store": ["--params: must be KEY=VALUE with commas between them, got 'store'"],
    "store:x": ["--params: must be KEY=VALUE with commas between them, got 'store:x'"],
    "": ["--params: must be KEY=VALUE with commas between them, got ''"],
    "store=x,": ["--params: must be KEY=VALUE with commas between them, got ''"],
    "=x": ["--params: a key must be words with points between them, got ''"],
    "a b=x": ["--params: a key must be words with points between them, got 'a b'"],
    ".store=x": ["--params: a key must be words with points between them, got '.store'"],
    "training..epochs=1": ["--params: a key must be words with points between them, got 'training..epochs'"],
    "tasks[mood]=1": ["--params: a key must be words with points between them, got 'tasks[mood]'"],
    "store=x,store=y": ["--params: must give each key once, got 'store' twice"],
    "training=1,training.epochs=2": ["--params: 'training.epochs' stands inside 'training', which has a value"],
    "training.epochs=2,training=1": ["--params: must give each key once, got 'training' twice"],
    "training.epochs=[1": ["--params, training.epochs, line 2, column 1: ", "did not find expected"],
    "training.epochs=!foo 1": ["--params, training.epochs, line 1, column 1: unknown tag '!foo'"],
    "training.epochs=010": ["--params, training.epochs", "'010' would be read as the number 8"],
    "training.epochs=*x": ["--params, training.epochs", "found undefined alias"],
    "training.epochs=x": ["training, epochs: Input should be a valid number, got 'x'"],
    "training.epochs='1'": ["training, epochs: Input should be a valid number, got '1'; write a number without quotes"],
    "training.epochs=.inf": ["training, epochs: Input should be a finite number, got inf"],
    "training.epochs=-1": ["training, epochs: Input should be greater than 0, got -1"],
    "training.epochs=null": ["training, epochs: Input should be a valid number, got None"],
    "training.epohcs=1": ["--params: unknown key 'training.epohcs', did you mean 'training.epochs'? Allowed: "],
    "training=5": ["training: must be a row of fields, got 5"],
    "training=null": ["training: must be a row of fields, got None"],
    "training.epochs=${nope}": ["key 'training.epochs': Interpolation key 'nope' not found"],
    "training.epochs=${globals:nope}": ["globals.yml: unknown key 'nope'"],
    "tasks.moood.type=x": ["--params: unknown key 'tasks.moood', did you mean 'tasks.mood'? Allowed: "],
    "tasks.mood=x": ["task 'mood': must be a row of fields, got 'x'"],
    "tasks.mood.metricks=[x]": ["task 'mood': unknown field 'metricks', did you mean 'metrics'?"],
    "tasks.mood.metrics=[x]": ["task 'mood', metrics: unknown metric 'x'"],
    "tasks.mood.splits.tset=x": ["task 'mood', splits: unknown field 'tset', did you mean 'test'?"],
    "tasks=[]": ["--params: 'tasks' must have fields (", "got a list"],
    "models.tinny.dtype=x": ["--params: unknown key 'models.tinny', did you mean 'models.tiny'?"],
    "models.tiny.dtype=float8": ["model 'tiny', dtype: ", "'float32', 'bfloat16' or 'float16'", "'float8'"],
    "methods.lorra.type=x": ["--params: unknown key 'methods.lorra', did you mean 'methods.lora'?"],
    "seeds.s0=-1": ["seeds.s0: Input should be greater than or equal to 0, got -1"],
    "seeds.s0=18446744073709551616": ["seeds.s0: Input should be less than 4294967296"],
    "sampling.split_seed=-1": ["sampling, split_seed: Input should be greater than or equal to 0, got -1"],
    "sampling.validation_share=1": ["sampling, validation_share: Input should be less than 1, got 1"],
    "pscp.c_p=.inf": ["pscp, c_p: Input should be a finite number, got inf"],
    "energy.country=Germany": ["energy, country: ", "got 'Germany'"],
    "trackers=[mlfow]": ["parameters, trackers.0: Input should be 'mlflow', 'tensorboard' or 'wandb', got 'mlfow'"],
    "trackers=mlflow": ["parameters, trackers: must be a list, got 'mlflow'"],
    "trackers=[wandb, wandb]": ["parameters, trackers: must name each once, got 'wandb' twice"],
    "execution.enabled=maybe": ["execution, enabled: Input should be a valid boolean, got 'maybe'"],
}
"""What is given as ``--params``, and what is said of it."""

VALUES = [Rule(f"--params={given}", nothing, says, ("run", f"--params={given}")) for given, says in PARAMS.items()]

COMMANDS: dict[str, tuple[str, ...]] = {
    "fetch": (),
    "merge": ("zero_shot.tiny.mood.s0", "--output=merged"),
    "verify": (),
    "reproduce": ("2026-01-01T00.00.00.000Z",),
    "compare": ("a", "b"),
}
"""Commands that take the options of ``kedro run`` which choose the store, with sound arguments."""

PLACED = [
    Rule(f"{command} {option}", nothing, says, (command, *arguments, option))
    for command, arguments in COMMANDS.items()
    for option, says in {
        "--params=raww=x": PARAMS["raww=x"],
        "--params=store=5": PARAMS["store=5"],
        "--params=store": PARAMS["store"],
        "--env=lokal": ["--env: unknown environment 'lokal', did you mean 'local'?"],
        "--env=": ["--env: must be a name, got ''"],
        "--evn=local": [f"{command}: unknown option '--evn', did you mean '--env'? Allowed: "],
        "--env": [f"{command}: Option '--env' requires an argument"],
    }.items()
]

VERSION = "2026-01-31T12.00.00.000Z"
VERSIONS = {
    "x": ["must be DATASET:VERSION with commas between them", "got 'x'"],
    "": ["must be DATASET:VERSION", "got ''"],
    "mood_adapted:": ["must be DATASET:VERSION", "got 'mood_adapted:'"],
    f":{VERSION}": ["must be DATASET:VERSION", f"got ':{VERSION}'"],
    f"mood_adapted={VERSION}": ["must be DATASET:VERSION", f"got 'mood_adapted={VERSION}'"],
    f"mood_adapted:{VERSION},": ["must be DATASET:VERSION", "got ''"],
    "mood_adapted:../x": ["the version of 'mood_adapted' must be the name of a folder, got '../x'"],
    "mood_adapted:..": ["the version of 'mood_adapted' must be the name of a folder, got '..'"],
    "mood_adapted:/etc": ["the version of 'mood_adapted' must be the name of a folder, got '/etc'"],
    f"mood_adapted:{VERSION},mood_adapted:1": ["must name each once, got 'mood_adapted' twice"],
    f"mood_adapted:{VERSION}": [f"unknown version '{VERSION}'. Allowed: none"],
    f"mood_raw:{VERSION}": ["unknown versioned data set 'mood_raw', did you mean 'mood_adapted'? Allowed: "],
    f"mood_adopted:{VERSION}": ["unknown versioned data set 'mood_adopted', did you mean 'mood_adapted'?"],
    f"params:grid:{VERSION}": ["must be the name of a folder, got 'grid:"],
}
LOADED = [
    Rule(f"--load-versions={given}", nothing, ["--load-versions", *says], ("run", f"--load-versions={given}"))
    for given, says in VERSIONS.items()
]

RUNNERS = {
    "CelRunner": [
        "unknown runner 'CelRunner', did you mean 'CellRunner'? Allowed: CellRunner, SequentialRunner, RayRunner"
    ],
    "RayRuner": ["unknown runner 'RayRuner', did you mean 'RayRunner'?"],
    "": ["unknown runner ''. Allowed: CellRunner, SequentialRunner, RayRunner"],
    "..": ["unknown runner '..'. Allowed: "],
    "no.such.Runner": ["'no.such.Runner' cannot be imported", "Allowed: "],
    "kedro.runner.NoRunner": ["'kedro.runner.NoRunner' is no runner's class. Allowed: "],
    "os.system": ["'os.system' is no runner's class. Allowed: "],
    "kedro.runner.AbstractRunner": ["'kedro.runner.AbstractRunner' is no runner's class. Allowed: "],
    "ParallelRunner": ["'ParallelRunner' cannot run this project", "Allowed: CellRunner, SequentialRunner, RayRunner"],
    "kedro.runner.ThreadRunner": ["'ThreadRunner' cannot run this project"],
    "SequentialRunner()": ["unknown runner 'SequentialRunner()', did you mean 'SequentialRunner'?"],
}
OTHERS: dict[tuple[str, ...], list[str]] = {
    **{("run", f"--runner={given}"): ["--runner: ", *says] for given, says in RUNNERS.items()},
    ("run", "--runner-params=max_workers=4"): ["--runner-params: unknown argument 'max_workers'. Allowed: is_async"],
    ("run", "--runner-params=num_gpus=1"): ["--runner-params: unknown argument 'num_gpus'. Allowed: is_async"],
    ("run", "--runner=RayRunner", "--runner-params=gpus=1"): [
        "--runner-params: unknown argument 'gpus', did you mean 'num_gpus'? Allowed: is_async, num_gpus, address"
    ],
    **{
        ("run", "--runner=RayRunner", f"--runner-params=num_gpus={given}"): [
            f"--runner-params, num_gpus: must be a share from 0 to 1 or a whole number, got '{shown}'"
        ]
        for given, shown in (("1.5", "1.5"), ("-1", "-1"), ("all", "all"), ("true", "True"))
    },
    ("run", "--runner=RayRunner", "--runner-params=address=6379"): ["--runner-params, address: must be a cluster's"],
    ("run", "--runner=RayRunner", "--per-gpu=2"): [
        "--per-gpu: must be left out with --runner=RayRunner, got 2. Allowed with CellRunner"
    ],
    ("run", "--runner-params=is_async"): ["--runner-params: must be KEY=VALUE", "got 'is_async'"],
    ("run", "--runner-params=is_async=5"): ["--runner-params, is_async: must be true or false, got '5'"],
    **{
        ("run", f"--workers={given}"): [f"--workers: must be a whole number from 1 to 1000, got '{given}'"]
        for given in ("0", "-1", "two", "", "1.5", "1e1", "1001", "99999999999999999999", "²")
    },
    **{
        ("run", f"--per-gpu={given}"): [f"--per-gpu: must be a whole number from 1 to 1000, got '{given}'"]
        for given in ("0", "half", "0.5")
    },
    ("run", "--per-gpu=2", "--runner=SequentialRunner"): [
        "--per-gpu: must be left out with --runner=SequentialRunner, got 2. Allowed with CellRunner"
    ],
    ("run", "--workers"): ["run: Option '--workers' requires an argument"],
    ("run", "--workers=2", "--workers=2"): ["--workers: is given 2 times; once is allowed"],
    ("run", "--workers=2", "--runner=SequentialRunner"): [
        "--workers: must be left out with --runner=SequentialRunner, got 2. Allowed with CellRunner, RayRunner"
    ],
    ("run", "--runner-params=workers=2"): ["--runner-params: unknown argument 'workers'. Allowed: is_async"],
    ("run", "--env=../conf"): ["--env: unknown environment '../conf'", "Allowed: ", "local"],
    ("run", "--env=/"): ["--env: unknown environment '/'"],
    ("run", "--env=smoke", "--env=local"): ["--env: is given 2 times; once is allowed"],
    ("run", "--params=store=a", "--params=raw=b"): ["--params: is given 2 times; once is allowed"],
    ("run", "--conf-source=nowhere"): ["--conf-source: must be a folder or an archive, got 'nowhere'"],
    ("run", "--conf-source="): ["--conf-source: must be a name, got ''"],
    ("run", "--conf-source=pyproject.toml"): ["--conf-source: must be a folder or an archive", "pyproject.toml"],
    ("run", "--conf-source=s3://bucket/conf"): ["--conf-source", "on this machine, got 's3://bucket/conf'"],
    ("run", "--conf-source=methods"): ["--env: unknown environment 'base'. Allowed: "],
    ("run", "--pipeline=data", "--pipelines=report"): ["--pipeline and --pipelines: give one of them"],
    ("run", "--pipeline=daata"): ["--pipelines: unknown pipeline 'daata', did you mean 'data'? Allowed: data, report"],
    ("run", "--pipeline="): ["--pipeline: must be a name, got ''"],
    ("run", "--tags=data.mood", "--namespaces=zero_shot"): [
        "--tags=data.mood --namespaces=zero_shot: no node is in all"
    ],
    ("run", "--from-nodes=mood-instruct", "--to-nodes=mood-adapt"): [
        "--from-nodes=mood-instruct --to-nodes=mood-adapt"
    ],
    ("run", "extra"): ["run: Got unexpected extra argument (extra)"],
    ("run", "data", "report"): ["run: Got unexpected extra arguments (data report)"],
    ("run", "--tgas=mood"): ["run: unknown option '--tgas', did you mean '--tags'? Allowed: "],
    ("run", "--Params=x"): ["run: unknown option '--Params', did you mean '--params'? Allowed: "],
    ("run", "--async=yes"): ["run: Option '--async' does not take a value"],
    ("run", "--only-missing-outputs=no"): ["run: Option '--only-missing-outputs' does not take a value"],
    ("run", "-e"): ["run: Option '-e' requires an argument"],
    ("rnu",): ["unknown command 'rnu', did you mean 'run'? Allowed: ", "compare", "reproduce"],
    ("varify",): ["unknown command 'varify', did you mean 'verify'? Allowed: "],
    ("",): ["unknown command ''. Allowed: "],
    ("compare",): ["compare: Missing argument 'FIRST'. Usage: "],
    ("compare", "a"): ["compare: Missing argument 'SECOND'. Usage: "],
    ("compare", "a", "b", "c"): ["compare: Got unexpected extra argument (c). Usage: "],
    ("compare", "a", "b"): ["RUN_ID: unknown run 'a'. Allowed: none"],
    ("compare", "", "b"): ["RUN_ID: unknown run ''"],
    ("verify", ".."): ["RUN_ID: unknown run '..'"],
    ("verify", "x" * 5000): ["RUN_ID: unknown run 'xxx"],
    ("verify", "a\0b"): ["argument 1 'a\\x00b': must be text, but character 2 is the character NUL"],
    ("verify", "\x1b[2J"): ["RUN_ID: unknown run '\\x1b[2J'"],
    ("verify",): ["RUN_ID: no run is on record in this store"],
    ("reproduce",): ["reproduce: Missing argument 'RUN_ID'"],
    ("reproduce", "../.."): ["RUN_ID: unknown run '../..'"],
    ("reproduce", "nope", "--cell=x"): ["RUN_ID: unknown run 'nope'"],
    ("reproduce", "nope", "--keeep"): ["reproduce: unknown option '--keeep', did you mean '--keep'?"],
    ("merge", "zero_shot.tiny.mood.s0"): ["merge: Missing option '--output'"],
    ("merge", "--output=merged"): ["merge: Missing argument 'METHOD MODEL TASK SEED'"],
    ("merge", "lora.tiny.mood", "--output=merged"): ["cell: must be METHOD MODEL TASK SEED", "got 'lora.tiny.mood'"],
    ("merge", "lorra.tiny.mood.s0", "--output=merged"): ["cell: unknown method 'lorra', did you mean 'lora'?"],
    ("merge", "lora.tiny.mood.s9", "--output=merged"): ["cell: unknown seed 's9'", "s0, s1"],
    ("merge", "lora.tiny.mood.s0", "--output=merged"): [
        "cell 'lora.tiny.mood.s0': has not been made (looked in '",
        "Of this grid there are: none",
    ],
    ("methods", "lorra"): ["methods: unknown row or type 'lorra', did you mean 'lora'? Allowed: "],
    ("methods", "--type=NOPE"): ["methods: unknown row or type 'NOPE'"],
    ("methods", ""): ["methods: unknown row or type ''"],
    ("methods", "lora", "--type="): ["methods: unknown row or type ''"],
    ("methods", "lora", "ia3"): ["methods: Got unexpected extra argument (ia3)"],
    ("methods", "--jsn"): ["methods: unknown option '--jsn', did you mean '--json'?"],
    ("metrics", "rouge"): ["metrics: Got unexpected extra argument (rouge)"],
    ("fetch", "sst2"): ["fetch: Got unexpected extra argument (sst2)"],
}
"""Whole command lines."""
LINES = [Rule(f"{' '.join(line)[:60]!r}", nothing, says, line) for line, says in OTHERS.items()]


def file(content: str | bytes) -> Callable[[Path], object]:
    """Write a file for ``--config``."""
    data = content.encode() if isinstance(content, str) else content
    return lambda folder: (folder / "options.yml").write_bytes(data)


CONFIGS: dict[str, tuple[Callable[[Path], object], list[str]]] = {
    "no number": (file("run: {workers: two}\n"), ["option 'workers' must be a whole number, got 'two'"]),
    "a share in words": (file("run: {per_gpu: half}\n"), ["option 'per_gpu' must be a whole number, got 'half'"]),
    "a switch for a number": (file("run: {workers: true}\n"), ["option 'workers' must be a whole number, got True"]),
    "no file": (nothing, ["cannot be read: No such file or directory"]),
    "a folder": (lambda folder: (folder / "options.yml").mkdir(), ["cannot be read: Is a directory"]),
    "an empty file": (file(""), ["key 'run' must have options, got None"]),
    "a list": (file("[run]\n"), ["line 1, column 1: a file must hold keys with values, got a list"]),
    "no YAML": (file("run: [\n"), ["line 2, column 1: "]),
    "not UTF-8": (file(b"run: {tags: \xff}\n"), ["must be UTF-8, but byte 12 (line 1) is 0xff"]),
    "a section of another command": (file("rnu: {tags: mood}\n"), ["unknown key 'rnu', did you mean 'run'?"]),
    "no options": (file("run:\n"), ["key 'run' must have options, got None"]),
    "options in a list": (file("run: [tags]\n"), ["key 'run' must have options, got ['tags']"]),
    "an unknown option": (
        file("run:\n  tgas: mood\n"),
        ["line 2, column 3: unknown option 'tgas', did you mean 'tags'?"],
    ),
    "an option twice": (file("run: {tags: mood, tags: tiny}\n"), ["key 'tags' stands in line 1 already"]),
    "a number for names": (file("run: {tags: 5}\n"), ["option 'tags' must be text or a list of texts, got 5"]),
    "numbers for names": (file("run: {tags: [5]}\n"), ["option 'tags' must be text or a list of texts, got [5]"]),
    "text for a switch": (file("run: {is_async: x}\n"), ["option 'is_async' must be true or false, got 'x'"]),
    "a list for a name": (file("run: {env: [local]}\n"), ["option 'env' must be text, got ['local']"]),
    "a number for keys": (file("run: {params: 5}\n"), ["option 'params' must be text or keys with values, got 5"]),
}
CONFIG = [
    Rule(f"--config: {fault}", spoil, ["--config 'options.yml'", *says], ("run", "--config=options.yml"))
    for fault, (spoil, says) in CONFIGS.items()
]
IN_CONFIG = [
    Rule(f"--config with {content}", file(f"run: {{{content}}}\n"), says, ("run", "--config=options.yml"))
    for content, says in {
        "tags: moood": ["--tags: unknown tag 'moood', did you mean 'mood'?"],
        "tags: [mood, mood]": ["--tags: must name each once, got 'mood' twice"],
        "node_names: []": ["--nodes: must be names with commas between them"],
        "pipeline: daata": ["--pipelines: unknown pipeline 'daata'"],
        "params: {raww: x}": PARAMS["raww=x"],
        "params: {store: 5}": PARAMS["store=5"],
        "params: {training: {epochs: x}}": PARAMS["training.epochs=x"],
        "load_versions: {mood_raw: x}": ["--load-versions: unknown versioned data set 'mood_raw'"],
        "runner: ThreadRunner": ["--runner: 'ThreadRunner' cannot run this project"],
        "env: lokal": ["--env: unknown environment 'lokal'"],
        "env: ''": ["--env: must be a name, got ''"],
    }.items()
]


def variable(name: str, value: str) -> Callable[[Path], object]:
    return lambda folder: os.environ.__setitem__(name, value)


def looped(folder: Path) -> None:
    (folder / "loop").symlink_to("loop")
    os.environ["PEFT_DIR"] = "loop"


ENVIRONMENT = [
    Rule(f"{name}: {fault}", spoil, says)
    for name, fault, spoil, says in (
        ("PEFT_DIR", "nothing", variable("PEFT_DIR", ""), ["PEFT_DIR: must name a folder", "got ''"]),
        ("PEFT_DIR", "blanks", variable("PEFT_DIR", "  "), ["PEFT_DIR: must name a folder", "got '  '"]),
        ("PEFT_DIR", "no folder", variable("PEFT_DIR", "none"), ["PEFT_DIR: ", "got 'none': No such file"]),
        ("PEFT_DIR", "a file", variable("PEFT_DIR", "pyproject.toml"), ["PEFT_DIR: ", "Not a directory"]),
        ("PEFT_DIR", "a tilde", variable("PEFT_DIR", "~/methods"), ["PEFT_DIR: ", "'~' is not expanded here"]),
        ("PEFT_DIR", "a long name", variable("PEFT_DIR", "x" * 3000), ["PEFT_DIR: ", "File name too long"]),
        ("PEFT_DIR", "a link to itself", looped, ["PEFT_DIR: ", "got 'loop': "]),
        ("PEFT_DIR", "an escape", variable("PEFT_DIR", "\x1b[2J"), ["PEFT_DIR: ", "got '\\x1b[2J'"]),
        ("KEDRO_ENV", "no environment", variable("KEDRO_ENV", "lokal"), ["unknown environment 'lokal', did you mean"]),
    )
]
CATALOG = ("catalog describe-datasets", "catalog list-patterns", "catalog resolve-patterns")
KEDROS = [
    Rule(f"kedro {line}", nothing, says, tuple(line.split(" ")))
    for line, says in {
        **{f"{one} --env=lokal": ["--env: unknown environment 'lokal', did you mean 'local'?"] for one in CATALOG},
        **{f"{one} --env=": ["--env: must be a name, got ''"] for one in CATALOG},
        **{f"{one} --evn": [f" {one}: unknown option '--evn', did you mean '--env'?"] for one in CATALOG},
        **{f"{one} --env": [f" {one}: Option '--env' requires an argument"] for one in CATALOG},
        "catalog describe-datasets --pipeline=dta": ["--pipeline: unknown pipeline 'dta', did you mean 'data'?"],
        "catalog resolve-patterns --pipeline=data,": ["--pipeline: must be names with commas between them"],
        "catalog lst": [" catalog: unknown command 'lst'. Allowed: describe-datasets, list-patterns"],
        "catalog --env=local": [" catalog: unknown option '--env'. Allowed: --help"],
        "registry lst": [" registry: unknown command 'lst', did you mean 'list'?"],
        "registry list x": [" registry list: Got unexpected extra argument (x)"],
        "registry describe dta": ["'dta' pipeline not found. Existing pipelines: [", "benchmark"],
        "pipeline create a-b": ["'a-b' is not a valid Python package name"],
        "pipeline create": [" pipeline create: Missing argument 'NAME'"],
        "package --foo": [" package: unknown option '--foo'. Allowed: --help"],
        "server start --port=x": [" server start: Invalid value for '--port'", "'x'"],
        "jupyter lap": [" jupyter: unknown command 'lap', did you mean 'lab'?"],
    }.items()
]
FOLDERS = [
    Rule("no conf", lambda folder: shutil.rmtree(folder / "conf"), ["conf", "does not exist"]),
    Rule("conf is a file", lambda folder: (shutil.rmtree(folder / "conf"), (folder / "conf").touch()), ["conf"]),
]
FINE = [
    Rule(f"fine: {' '.join(given)}", nothing, [], ("run", "--pipeline=data", *given), succeeds=True)
    for given in (
        ("--params=training.loss={type: cross_entropy}, store=store",),
        ("--params=sampling.train_rows=null,raw=./raw",),
        ("--tags= data.mood , mood", "--runner=SequentialRunner"),
        ("--env=local", "--runner-params=is_async=false", "--nodes=mood-adapt"),
    )
]
RULES = [*NAMES, *VALUES, *PLACED, *LOADED, *LINES, *CONFIG, *IN_CONFIG, *ENVIRONMENT, *KEDROS, *FOLDERS, *FINE]
