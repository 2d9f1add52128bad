"""Starting the board: Streamlit on ``server.py``, on loopback, without telemetry, in our colours."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from groundswell.configs.people import load_people
from groundswell.configs.schema import AccessSettings, Settings
from groundswell.configs.yaml_lines import ConfigError

SETTINGS_VARIABLE = "GROUNDSWELL_BOARD_SETTINGS"
"""Environment variable with the path of the settings (JSON) that the board serves."""
NAMES_VARIABLE = "GROUNDSWELL_BOARD_NAMES"
"""Environment variable with the host names, parted by commas, that the board may be reached under."""
LOOPBACK = ("localhost", "127.0.0.1", "::1")
FEWEST_LETTERS = 32
"""A secret that signs cookies and is shorter can be found by trying."""
SERVER = Path(__file__).parent / "server.py"
"""What Streamlit serves: the board's pages behind a guard."""
FONT = (
    "Inter, system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Helvetica Neue', Arial, 'Noto Sans Thai', "
    "'Noto Sans CJK SC', 'PingFang SC', 'Microsoft YaHei', sans-serif"
)
THEME = {
    "theme.font": FONT,
    "theme.baseFontSize": 14,
    "theme.baseRadius": "6px",
    "theme.showSidebarBorder": "true",
    "theme.light.backgroundColor": "#f7f6f3",
    "theme.light.secondaryBackgroundColor": "#ffffff",
    "theme.light.textColor": "#1d1f24",
    "theme.light.primaryColor": "#1d1f24",
    "theme.light.borderColor": "#e3e1db",
    "theme.light.linkColor": "#2f6f8f",
    "theme.light.sidebar.backgroundColor": "#f7f6f3",
    "theme.light.sidebar.secondaryBackgroundColor": "#ffffff",
    "theme.dark.backgroundColor": "#14161a",
    "theme.dark.secondaryBackgroundColor": "#1c1f25",
    "theme.dark.textColor": "#eceae4",
    "theme.dark.primaryColor": "#eceae4",
    "theme.dark.borderColor": "#2c3038",
    "theme.dark.linkColor": "#6fb3d2",
    "theme.dark.sidebar.backgroundColor": "#14161a",
    "theme.dark.sidebar.secondaryBackgroundColor": "#1c1f25",
}
QUIET = {
    "browser.gatherUsageStats": "false",
    "server.fileWatcherType": "none",
    "server.runOnSave": "false",
    "runner.magicEnabled": "false",  # or every docstring of the script would be drawn
    "client.toolbarMode": "minimal",
    "client.showErrorDetails": "none",  # a traceback is for the log, not for whoever looks at the board
    "client.showErrorLinks": "false",
    "server.maxUploadSize": 1,
    "global.disableWidgetStateDuplicationWarning": "true",
}


def command(*, port: int, host: str, headless: bool) -> list[str]:
    """Return the command that serves the board."""
    options = {**THEME, **QUIET, "server.port": port, "server.address": host, "server.headless": str(headless).lower()}
    flags = [f"--{name}={value}" for name, value in options.items()]
    return [sys.executable, "-m", "streamlit", "run", str(SERVER), *flags]


def given_settings(path: str) -> Settings:
    """Return the settings that the board was started with; the defaults where nobody started one."""
    if not path:
        return Settings()
    return Settings.model_validate_json(Path(path).read_text(encoding="utf-8"))


class OpenBoardError(OSError):
    """The board would be open to everybody; the message says what to do."""


def known_names(*addresses: str) -> tuple[str, ...]:
    """Return the names that a board may be reached under: loopback's, and those of hosts and addresses given.

    A board that listens everywhere (``0.0.0.0``) is reached under names that only its users know: none is refused.
    """
    given = [host_name(each if "//" in each else f"//{each}") for each in addresses if each]
    return () if {"0.0.0.0", "::"} & set(given) else (*LOOPBACK, *given)  # noqa: S104  compared, not bound


def host_name(url: str) -> str:
    """Return the host name of an address; nothing where it is none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def environment(
    settings_file: Path, base: Mapping[str, str] | None = None, *, names: Sequence[str] = ()
) -> dict[str, str]:
    """Return the environment in which the board finds its settings."""
    mine = {SETTINGS_VARIABLE: str(settings_file), NAMES_VARIABLE: ",".join(names), "PYTHONUNBUFFERED": "1"}
    return {**(os.environ if base is None else base), **mine}


def launch(
    settings: Settings,
    *,
    port: int | None = None,
    host: str | None = None,
    headless: bool = True,
    open_to_everybody: bool = False,
) -> int:
    """Become the board: replace this process by Streamlit's, so that a signal to it reaches the board and no other.

    Returns:
        Never, except where the process could not be replaced.

    Raises:
        OpenBoardError: it would listen beyond this machine, and nobody said that this is meant.
        ConfigError: people are to sign in, and something that this needs is missing.
    """
    port, host = port or settings.board.port, host or settings.board.host
    if not open_to_everybody and host not in LOOPBACK and not settings.access.issuer:
        raise OpenBoardError(
            f"nobody has to sign in here: on {host} everybody who reaches this machine could read all of it and decide "
            "in anybody's name. Set access.issuer (OpenID Connect), or listen on 127.0.0.1 behind a proxy that asks "
            "who is there, or say --open-to-everybody"
        )
    check_sign_in(settings.access)
    file = write_settings(settings, port, host)
    sys.stderr.write(f"board: http://{host}:{port} (stop with Ctrl-C)\n")
    sys.stderr.flush()
    call = command(port=port, host=host, headless=headless)
    os.execve(call[0], call, environment(file, names=known_names(host, settings.digest.board_url)))  # noqa: S606  our own command, no shell
    return 1


def check_sign_in(access: AccessSettings, environ: Mapping[str, str] = os.environ) -> None:
    """Do nothing if people can sign in as the settings say, or need not.

    Raises:
        ConfigError: they could not; the message says what is missing.
    """
    if not access.issuer:
        return
    try:
        import_module("authlib.integrations.starlette_client")
    except ImportError:
        raise ConfigError("access.issuer: signing in needs Authlib: pip install 'groundswell[signin]'") from None
    if not environ.get(access.client_secret_env):
        raise ConfigError(
            f"access.client_secret_env: {access.client_secret_env} holds no secret; put there what your provider gave "
            "to this board"
        )
    given = environ.get(access.cookie_secret_env, "")
    if given and len(given) < FEWEST_LETTERS:
        raise ConfigError(
            f"access.cookie_secret_env: {access.cookie_secret_env} holds {len(given)} letters; whoever guesses them is "
            f"anybody here: give {FEWEST_LETTERS} or more random ones, or none"
        )
    load_people(access.people)


def own_address(settings: Settings) -> str:
    """Return where browsers reach the board, as the provider knows it: one signs in there and nowhere else."""
    return (settings.digest.board_url or f"http://{settings.board.host}:{settings.board.port}").rstrip("/")


def sign_in(settings: Settings, environ: Mapping[str, str]) -> dict[str, Any]:
    """Return what Streamlit's sign-in needs to know, as its secrets; nothing where nobody signs in."""
    access = settings.access
    if not access.issuer:
        return {}
    auth = {
        "redirect_uri": f"{own_address(settings)}/oauth2callback",
        "cookie_secret": environ.get(access.cookie_secret_env) or secrets.token_urlsafe(32),
        "client_id": access.client_id,
        "client_secret": environ.get(access.client_secret_env, ""),
        "server_metadata_url": f"{access.issuer.rstrip('/')}/.well-known/openid-configuration",
    }
    return {"auth": auth}


def start(settings: Settings, *, port: int, host: str = "127.0.0.1") -> subprocess.Popen[bytes]:
    """Start the board beside this process, for the demo and the tests; who starts it ends it."""
    file = write_settings(settings, port, host)
    check_sign_in(settings.access)
    call = command(port=port, host=host, headless=True)
    return subprocess.Popen(call, env=environment(file, names=known_names(host)), stdout=subprocess.DEVNULL)  # noqa: S603  our own command


def write_settings(settings: Settings, port: int, host: str = "") -> Path:
    """Write the settings, and where it listens, to a file that its owner alone may read; return the file."""
    board = settings.board.model_copy(update={"port": port, "host": host or settings.board.host})
    whole = settings.model_copy(update={"data_dir": settings.data_dir.absolute(), "board": board})
    whole.data_dir.mkdir(parents=True, exist_ok=True)
    file = whole.data_dir / f"board-{port}.json"
    file.touch(mode=0o600)
    file.write_text(whole.model_dump_json(), encoding="utf-8")
    return file
