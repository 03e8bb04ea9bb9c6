"""The LaTeX tables: what stands in them, and that LaTeX sets them without an error and within the page."""

import re
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest
from made import Made, free, labelled

from peft_pipelines.reporting.comparisons import no_differences
from peft_pipelines.reporting.latex import latex
from peft_pipelines.reporting.warning_signs import MARKS

PROGRAM = shutil.which("pdflatex") or shutil.which("lualatex")
PACKAGES = ("booktabs.sty", "graphicx.sty")


def has_packages() -> bool:
    """Whether the installation of LaTeX has all packages that the tables need."""
    found = subprocess.run(["kpsewhich", *PACKAGES], capture_output=True, text=True, check=False).stdout
    return len(found.splitlines()) == len(PACKAGES)


needs_latex = pytest.mark.skipif(
    PROGRAM is None or not has_packages(), reason="needs pdflatex or lualatex, with booktabs and graphicx"
)
SIZES = {"1 x 1": (1, 1, 1), "4 x 4": (4, 4, 3), "14 x 9": (14, 9, 2), "24 x 2": (24, 2, 2)}
"""Tuned methods, tasks and seeds; the untuned model stands beside them."""
PRINTABLE = [f"a{''.join(map(chr, range(start, start + 16)))}b" for start in range(32, 127, 16)]


def cells(*rows: tuple[str, str, str, float | None, str]) -> pd.DataFrame:
    columns = ["method", "task", "seed", "primary", "status"]
    table = pd.DataFrame(rows, columns=columns).assign(model="tiny_1", metric="macro_f1", marks="")
    table = table.assign(mean_low=float("nan"), mean_high=float("nan"), trainable_parameters=1000.0)
    return table.astype({"primary": "float64"})


def test_a_table_has_the_best_in_bold_and_escapes_the_rest() -> None:
    table = cells(
        ("one_a", "moods_x", "s0", 0.9, "done"),
        ("two", "moods_x", "s0", 0.85, "done"),
        ("lost", "moods_x", "s0", None, "failed"),
        ("absent", "moods_x", "s0", None, "not run"),
    )
    assert (
        latex(table)
        == r"""% needs \usepackage{booktabs,graphicx}
% tiny_1
\noindent\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%
\begin{tabular}{lr}
\toprule
method & moods\_x \\
\footnotesize tiny\_1 & \footnotesize macro\_f1 \\
\midrule
one\_a & \textbf{90.0} \\[2pt]
two & 85.0 \\[2pt]
lost & failed \\[2pt]
absent & -- \\[2pt]
\bottomrule
\end{tabular}}%
"""
    )


def test_several_seeds_are_a_mean_with_its_spread_and_the_interval_beneath() -> None:
    table = cells(("one", "moods", "s0", -0.9, "done"), ("one", "moods", "s1", -0.92, "done"))
    lines = r"one & \textbf{$-$91.0} $\pm$ 1.4 \\[-3pt]" + "\n" + r" & \scriptsize (2 seeds)"
    assert f"{lines} \\\\[2pt]\n" in latex(table)
    assert rf"{lines} [$-$95, $-$87] \\[2pt]" in latex(table.assign(mean_low=-0.95, mean_high=-0.87))


def test_many_tasks_and_methods_are_several_tables() -> None:
    rows = [(f"method{m}", f"task{t}", "s0", 0.5, "done") for m in range(21) for t in range(9)]
    text = latex(cells(*rows))
    tabulars = re.findall(r"\\begin\{tabular\}\{(\w+)\}(.*?)\\end\{tabular\}", text, re.DOTALL)
    assert [columns for columns, _ in tabulars] == ["lrrr"] * 6
    assert [len(re.findall("^method[0-9]", lines, re.MULTILINE)) for _, lines in tabulars] == [11, 10] * 3
    assert sorted(re.findall("task[0-9]", text)) == sorted([f"task{t}" for t in range(9)] * 2)


def compiled(folder: Path, text: str, options: str = "") -> str:
    """What the log holds of errors and of boxes that reach out of their places."""
    assert PROGRAM, "needs latex"
    start, end = rf"\documentclass{options}{{article}}\usepackage{{booktabs,graphicx}}", r"\end{document}"
    (folder / "table.tex").write_text(text, encoding="utf-8")
    (folder / "page.tex").write_text(f"{start}\\begin{{document}}\n\\input{{table}}\n{end}\n", encoding="utf-8")
    command = [PROGRAM, "-interaction=nonstopmode", "page.tex"]
    wide = {"max_print_line": "10000", "PATH": str(Path(PROGRAM).parent), "HOME": str(folder)}
    subprocess.run(command, cwd=folder, env=wide, capture_output=True, check=False)
    log = (folder / "page.log").read_text(encoding="utf-8", errors="replace")
    assert "Output written on page.pdf" in log, log
    found = re.findall(r"^(?:!|Overfull|Missing character|.*too large).*", log, re.MULTILINE)
    return "\n".join(line for line in found if not re.search(r"\((0\.\d+)pt too", line))


@pytest.fixture(scope="module", params=SIZES)
def text(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    methods, tasks, seeds = SIZES[request.param]
    shares = {"untuned": 0.3} | {f"sequential_bottleneck_{n}": 0.5 + 0.5 * n / methods for n in range(methods)}
    rows = [free(f"sums{n}") if n % 4 == 3 else labelled(f"moods{n}") for n in range(tasks)]
    lost = {"untuned.tiny.moods0.s0": None}
    made = Made(tmp_path_factory.mktemp("made"), shares, rows, seeds=seeds, n=6, lost=lost)
    return latex(made.table(no_differences()))


@needs_latex
@pytest.mark.parametrize("options", ["", "[twocolumn]"])
def test_a_table_is_set_and_fits_on_the_page(text: str, options: str, tmp_path: Path) -> None:
    assert compiled(tmp_path, text, options) == ""


@needs_latex
def test_any_name_is_set(tmp_path: Path) -> None:
    names = (*PRINTABLE, "[1cm]", "é ü ñ Å č ő ç ẽ ǖ ï", "中 \u03b1 ≈ \u2212 € 😀 \u0301 ﬁ ß ł\u00a0ø")
    table = cells(*[(name, f"a{name}", "s0", 0.5, "done") for name in names])
    assert compiled(tmp_path, latex(table.assign(model=names[-1], marks="".join(MARKS)))) == ""


@needs_latex
@pytest.mark.parametrize("wrong", [r"\nothing", "{" * 2, "\\hbox to 1pt{wide}"])
def test_what_is_wrong_is_seen(wrong: str, tmp_path: Path) -> None:
    assert compiled(tmp_path, rf"\begin{{tabular}}{{l}} {wrong} \end{{tabular}}") != ""
