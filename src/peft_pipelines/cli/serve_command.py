"""``kedro serve``: cells behind an endpoint that OpenAI's clients know."""

from typing import Any

import click

from peft_pipelines.cli import options
from peft_pipelines.cli.cell_options import text_or_none
from peft_pipelines.cli.one_line import Command
from peft_pipelines.cli.opened import opened
from peft_pipelines.cli.server_options import check_libraries, port_option
from peft_pipelines.files.screen import show, show_line

HOST, PORT = "127.0.0.1", 8000

_host = options.strict(options.text, lambda: HOST)


@click.command(cls=Command)
@click.argument("cells", nargs=-1, required=True, metavar="CELL...")
@click.option(
    "--beside",
    metavar="METHOD",
    multiple=True,
    help="The first cell's model, task and seed by this method; with --run by that run's version where it has one.",
)
@click.option("--host", metavar="ADDRESS", callback=_host, help=f"The address to listen on. Default: {HOST}.")
@port_option(PORT)
@click.option("--run", "run_id", metavar="RUN_ID", callback=text_or_none, help="Answer with the versions of this run.")
@options.placed
def serve(
    cells: tuple[str, ...],
    beside: tuple[str, ...],
    host: str,
    port: int,
    run_id: str | None,
    env: str | None,
    params: dict[str, Any],
) -> None:
    """Answer chat requests over HTTP, as OpenAI's clients send them, until Ctrl-C.

    Each CELL is METHOD.MODEL.TASK.SEED, and the model's name in requests. All share one base model, so that methods can
    be compared; the untuned model, --beside zero_shot, needs no cell. Requests are answered one at a time, in their
    order; answers are greedy. On the loopback address, the default, only programs of this machine are answered.
    Elsewhere each request needs a token: the one in PEFT_SERVE_TOKEN, or one that is made and printed. The connection
    is not encrypted.

    \b
    kedro serve lora.smollm2_135m.sst2.s0 dora.smollm2_135m.sst2.s0 --beside zero_shot
    """
    check_libraries("kedro serve")
    from peft_pipelines.serving import listening, server  # noqa: PLC0415  (heavy: only this command needs it)

    with listening.bound(host, port) as sock:
        token, is_new = server.token_for(sock)
        with opened(env, params) as (catalog, _):
            loaded = server.load_cells(catalog, cells, beside, run_id)
            address, number = sock.getsockname()[:2]
            try:
                for name in loaded:
                    show(name)
                show(f"http://{f'[{address}]' if ':' in address else address}:{number}/v1")
                if is_new:
                    show_line(f"token, shown this once: {token}")
                server.serve(loaded, sock, token)
            except KeyboardInterrupt:
                show_line("ended")
