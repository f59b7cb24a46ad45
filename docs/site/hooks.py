"""What the site has besides the pages of docs/.

The README as its first page, references made from the program itself, and every file of the
project that a page links to, so that no link leads out of the site.
"""

import json
import re
import subprocess
import sys
from os.path import relpath
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

sys.path.insert(0, str(Path(__file__).parent))
from notebooks import notebooks
from notebooks import page as notebook_page
from suite_reference import suite_page

from cl_seg.models.registry import NETWORKS
from cl_seg.spec.schema import suite_schema
from cl_seg.strategies.registry import STRATEGIES

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
LINK = re.compile(r"(\]\()([^)#\s]+)((?:#[^)\s]*)?\))")
ROLE = re.compile(r":(?:class|func|meth|mod|data):(?=<code>)")
LANGUAGES = {".yaml": "yaml", ".py": "python", ".csv": "text"}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the README, the references and the files that are linked to."""
    schema = suite_schema(NETWORKS, STRATEGIES)
    typer = [sys.executable, "-m", "typer", "cl_seg.cli", "utils", "docs", "--name", "cl-seg"]
    commands = subprocess.run(
        typer, capture_output=True, encoding="utf-8", check=True, cwd=ROOT
    ).stdout
    made = {
        "reference/suite.md": suite_page(schema),
        "reference/suite.schema.json": json.dumps(schema, indent=1),
        "reference/command-line.md": "# Command line\n\n" + commands.replace("\n#", "\n##"),
    }
    pages = {DOCS / file.src_uri: file for file in files if file.src_uri.endswith(".md")}
    for uri, content in made.items():
        files.append(File.generated(config, uri, content=content))
    for notebook in notebooks():
        text, pictures = notebook_page(notebook)
        place = _place(notebook)
        files.append(File.generated(config, place, content=_site_text(notebook, text)))
        for name, data in pictures.items():
            picture = str(Path(place).with_name(name))
            files.append(File.generated(config, picture, content=data))
    waiting = [ROOT / "README.md", *pages]
    seen = {*waiting, *notebooks()}
    while waiting:
        page = waiting.pop()
        text = page.read_text(encoding="utf-8")
        if page not in pages:
            files.append(File.generated(config, _place(page), content=_site_text(page, text)))
        for target in _targets(page, text) - seen:
            seen.add(target)
            if target.suffix == ".md":
                waiting.append(target)
            elif not target.is_relative_to(DOCS):
                files.append(_copy(target, config))
    return files


def on_page_content(html: str, **_: object) -> str:
    """Leave the marks of docstrings out, as in :class:`Store` and before formulas."""
    return ROLE.sub("", html).replace("::</p>", ":</p>")


def on_page_markdown(markdown: str, page: object, **_: object) -> str:
    """Turn links out of docs/ into links within the site."""
    path = DOCS / page.file.src_uri  # type: ignore[attr-defined]
    return _site_text(path, markdown) if path.is_file() else markdown


def _copy(target: Path, config: MkDocsConfig) -> File:
    language = LANGUAGES.get(target.suffix)
    if language is None:
        return File.generated(config, _place(target), abs_src_path=str(target))
    name = target.relative_to(ROOT).as_posix()
    content = f"# {name}\n\n```{language}\n{target.read_text(encoding='utf-8')}```\n"
    return File.generated(config, _place(target), content=content)


def _targets(page: Path, text: str) -> set[Path]:
    """The files of the project that a page links to."""
    links = (link for _, link, _ in LINK.findall(_without_code(text)))
    return {target for link in links if (target := (page.parent / link).resolve()).is_file()}


def _without_code(text: str) -> str:
    return re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.S)


def _place(path: Path) -> str:
    """Where a file of the project is in the site."""
    if path == ROOT / "README.md":
        return "index.md"
    if path.is_relative_to(DOCS):
        return path.relative_to(DOCS).as_posix()
    if path.suffix == ".ipynb":
        return path.relative_to(ROOT).with_suffix(".md").as_posix()
    place = "files/" + path.relative_to(ROOT).as_posix()
    return f"{place}.md" if path.suffix in LANGUAGES else place


def _site_text(page: Path, text: str) -> str:
    here = Path(_place(page)).parent

    def moved(match: re.Match[str]) -> str:
        before, link, after = match.groups()
        target = (page.parent / link).resolve()
        if ":" in link or not target.exists():
            return match.group()
        if target.is_dir():
            name = target.relative_to(ROOT).as_posix()
            return f"{before}{relpath('files/' + name, here)}{after}"
        return f"{before}{relpath(_place(target), here)}{after}"

    return LINK.sub(moved, text)
