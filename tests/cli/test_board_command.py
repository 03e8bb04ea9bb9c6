"""``kedro board``: mistakes end in one line."""

from project import Project, project

from peft_pipelines.serving.listening import bound

__all__ = ["project"]


def test_a_port_that_is_taken_is_told_in_one_line(project: Project) -> None:
    from click.testing import CliRunner  # noqa: PLC0415
    from kedro.framework.startup import bootstrap_project  # noqa: PLC0415

    from peft_pipelines.cli.main import cli  # noqa: PLC0415  (as kedro does: behind the project's set-up)

    bootstrap_project(project.folder)
    with bound("127.0.0.1", 0) as taken:
        number = taken.getsockname()[1]
        done = CliRunner().invoke(cli, ["board", "--no-open", "--port", str(number)])
    assert done.exit_code == 1 and done.stderr.startswith(
        f"Error: --host, --port: cannot listen on '127.0.0.1', port {number}"
    )
    assert len(done.stderr.splitlines()) == 1
