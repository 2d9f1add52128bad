"""Signing in: by a real OpenID Connect provider, by one that lies, and what each person then may."""

from __future__ import annotations

import base64
import json
import socket
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from oidc_provider_mock import User, run_server_in_thread
from playwright.sync_api import expect, sync_playwright

from groundswell.configs.people import People, load_people
from groundswell.configs.schema import AccessSettings, BoardSettings, DigestSettings, Settings
from groundswell.configs.yaml_lines import ConfigError
from groundswell.index.audit import Audit
from groundswell.index.permitted import Person
from groundswell.ui.board.identity import SignInError, person_of
from groundswell.ui.board.launch import OpenBoardError, check_sign_in, launch, sign_in, start
from tests.ui.seed import World
from tests.ui.test_board_browser import CHROMIUM, FLAGS

SECRET, COOKIE_SECRET = "told by the provider", "c" * 40
NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)
ACCESS = AccessSettings(issuer="https://id.example.org", client_id="board", roles_claim="groups")
PEOPLE = People.model_validate(
    {
        "people": {"mei@example.org": {"role": "owner"}, "Arif@example.org": {"role": "analyst", "markets": ["MY"]}},
        "groups": {
            "sea": {"role": "viewer", "markets": ["MY", "TH"]},
            "risk": {"role": "analyst", "markets": ["SG"]},
            "lead": {"role": "admin"},
        },
    }
)


def _claims(**changes: Any) -> dict[str, Any]:
    """Return what a good token says."""
    good = {"iss": ACCESS.issuer, "aud": "board", "sub": "7", "email": "mei@example.org"}
    return {**good, "iat": int(NOW.timestamp()), "exp": int(NOW.timestamp()) + 3600, **changes}


# --- who somebody is, by their claims


def test_a_person_is_what_the_file_says() -> None:
    """By their own entry first, then by the most that their groups may, in all of the groups' markets."""

    def who(**claims: Any) -> Person:
        return person_of(_claims(**claims), ACCESS, PEOPLE, now=NOW)

    assert who() == Person("mei@example.org", "owner")
    assert who(email="arif@EXAMPLE.org") == Person("arif@EXAMPLE.org", "analyst", ("MY",))
    assert who(email="x@y", groups=["sea", "risk"]) == Person("x@y", "analyst", ("MY", "SG", "TH"))
    assert who(email="x@y", groups="sea lead") == Person("x@y", "admin")
    assert who(email="x@y", groups=["owner"]) == Person("x@y", "owner")
    with pytest.raises(SignInError, match="nothing here is theirs yet"):
        who(email="x@y")
    others = ACCESS.model_copy(update={"others": "viewer"})
    assert person_of(_claims(email="x@y"), others, PEOPLE, now=NOW) == Person("x@y", "viewer")


def test_markets_of_a_claim_limit_further() -> None:
    """Both must allow a market; who says none is refused, and nothing in common is nothing."""
    access = ACCESS.model_copy(update={"markets_claim": "markets"})

    def who(**claims: Any) -> tuple[str, ...]:
        return person_of(_claims(**claims), access, PEOPLE, now=NOW).markets

    assert who(markets=["my", "SG"]) == ("MY", "SG")
    assert who(markets="*") == ()
    assert who(email="arif@example.org", markets=["MY", "SG"]) == ("MY",)
    for said in (None, [], ["SG"]):
        with pytest.raises(SignInError, match="markets"):
            who(email="arif@example.org", markets=said)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"iss": "https://elsewhere.example"}, "another provider"),
        ({"aud": "other"}, "another program"),
        ({"aud": ["other", "third"]}, "another program"),
        ({"aud": "other", "azp": "board"}, "another program"),
        ({"aud": ["board", "other"], "azp": "other"}, "another program"),
        ({"aud": None}, "another program"),
        ({"iat": int((NOW - timedelta(hours=8)).timestamp())}, "older than 8 hours"),
        ({"iat": int((NOW + timedelta(hours=1)).timestamp())}, "a time to come"),
        ({"iat": None}, "does not say when"),
        ({"iat": True}, "does not say when"),
        ({"iat": "now"}, "does not say when"),
        ({"iat": 1e300}, "does not say when"),
        ({"email": ""}, "says no 'email'"),
        ({"email_verified": False}, "not verified"),
    ],
)  # fmt: skip
def test_a_token_that_is_not_good_here_lets_nobody_in(changes: Mapping[str, Any], why: str) -> None:
    """Whatever a signed cookie kept of it."""
    with pytest.raises(SignInError, match=why):
        person_of(_claims(**changes), ACCESS, PEOPLE, now=NOW)


def test_a_people_file_that_cannot_be_used_is_said_with_its_line(tmp_path: Path) -> None:
    """And it is read again once it was changed."""
    file = tmp_path / "people.yaml"
    file.write_text("people:\n  mei@example.org: {role: boss}\n")
    with pytest.raises(ConfigError, match=r"people.yaml:2"):
        load_people(file)
    file.write_text("people:\n  mei@example.org: {role: admin}\n")
    assert load_people(file).people["mei@example.org"].role == "admin"
    file.write_text("people: {}\n")
    assert not load_people(file).people


@pytest.mark.parametrize(
    ("environ", "why"),
    [
        ({}, "GROUNDSWELL_OIDC_CLIENT_SECRET holds no secret"),
        ({"GROUNDSWELL_OIDC_CLIENT_SECRET": "x", "GROUNDSWELL_COOKIE_SECRET": "short"}, "holds 5 letters"),
    ],
)
def test_a_sign_in_that_could_not_work_is_refused_at_once(environ: Mapping[str, str], why: str) -> None:
    """Before anybody stands before a closed door."""
    with pytest.raises(ConfigError, match=why):
        check_sign_in(ACCESS, environ)


def test_beyond_this_machine_somebody_has_to_sign_in(tmp_path: Path) -> None:
    """Nothing is served to everybody by mistake, and a sign-in without its secret does not start either."""
    with pytest.raises(OpenBoardError, match=r"access\.issuer"):
        launch(Settings(data_dir=tmp_path), host="0.0.0.0")  # noqa: S104  refused
    with pytest.raises(ConfigError, match="holds no secret"):
        launch(Settings(data_dir=tmp_path, access=ACCESS), host="0.0.0.0")  # noqa: S104  refused


def test_without_a_given_secret_each_start_signs_with_its_own() -> None:
    """Nobody's cookie of yesterday holds."""
    settings = Settings(access=ACCESS, digest=DigestSettings(board_url="https://board.example/"))
    one, other = (sign_in(settings, {})["auth"] for _ in range(2))
    assert one["cookie_secret"] != other["cookie_secret"]
    assert len(one["cookie_secret"]) >= 32
    assert one["redirect_uri"] == "https://board.example/oauth2callback"


# --- a board with a provider


@contextmanager
def _board(world: World, issuer: str, people: Path, **access: Any) -> Iterator[str]:
    """Serve the board behind a provider; yield its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    known = AccessSettings(issuer=issuer, client_id="board", people=people, **access)
    settings = world.settings.model_copy(update={"access": known, "board": BoardSettings(port=port)})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GROUNDSWELL_OIDC_CLIENT_SECRET", SECRET)
        patch.setenv("GROUNDSWELL_COOKIE_SECRET", COOKIE_SECRET)
        process = start(settings, port=port)
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=5).close()
                break
            except OSError:
                time.sleep(0.2)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def _people(folder: Path) -> Path:
    file = folder / "people.yaml"
    file.write_text("people:\n  arif@example.org: {role: viewer, markets: [MY]}\n  mei@example.org: {role: owner}\n")
    return file


class Liar:
    """A provider that signs whatever it is told: discovery, authorization code, token, keys."""

    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "own"})
        self.make: Callable[[str, str], str] = self.good
        self.nonce = ""
        liar = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
                if "redirect_uri" in asked:
                    liar.nonce = asked["nonce"]
                    self.send_response(302)
                    back = urlencode({"code": "c", "state": asked["state"]})
                    self.send_header("Location", f"{asked['redirect_uri']}?{back}")
                    self.end_headers()
                elif self.path == "/keys":
                    self._json({"keys": [liar.key.as_dict(private=False)]})
                else:
                    self._json(liar.metadata())

            def do_POST(self) -> None:
                token = liar.make(liar.nonce, liar.issuer)
                self._json({"access_token": "a", "token_type": "Bearer", "expires_in": 3600, "id_token": token})

            def _json(self, value: object) -> None:
                body = json.dumps(value).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def metadata(self) -> dict[str, Any]:
        """Return what discovery says."""
        at = self.issuer
        return {
            "issuer": at, "authorization_endpoint": f"{at}/authorize", "token_endpoint": f"{at}/token",
            "jwks_uri": f"{at}/keys", "id_token_signing_alg_values_supported": ["RS256", "HS256"],
        }  # fmt: skip

    def signed(self, nonce: str, issuer: str, *, key: Any = None, alg: str = "RS256", **changes: Any) -> str:
        """Return a token; a good one but for what is changed."""
        now = int(time.time())
        claims = {
            "iss": issuer, "aud": "board", "sub": "1", "email": "mei@example.org", "nonce": nonce, "iat": now,
            "exp": now + 3600, **changes,
        }  # fmt: skip
        return jwt.encode({"alg": alg, "kid": "own"}, claims, key or self.key, algorithms=["RS256", "HS256"])

    def good(self, nonce: str, issuer: str) -> str:
        """Return a token with nothing wrong."""
        return self.signed(nonce, issuer)


def _unsigned(liar: Liar, nonce: str, issuer: str) -> str:
    """Return a good token's claims under the algorithm "none"."""
    head, body, _ = liar.signed(nonce, issuer).split(".")
    none = base64.urlsafe_b64encode(json.dumps({"alg": "none", "kid": "own"}).encode()).rstrip(b"=").decode()
    assert head
    return f"{none}.{body}."


def _altered(liar: Liar, nonce: str, issuer: str) -> str:
    """Return a token whose claims were changed after it was signed."""
    head, _, sign = liar.signed(nonce, issuer, email="arif@example.org").split(".")
    return ".".join((head, liar.signed(nonce, issuer).split(".")[1], sign))


LIES: dict[str, Callable[[Liar, str, str], str]] = {
    "expired": lambda liar, nonce, iss: liar.signed(nonce, iss, exp=int(time.time()) - 600),
    "forged with another key": lambda liar, nonce, iss: liar.signed(
        nonce, iss, key=RSAKey.generate_key(2048, {"kid": "own"})
    ),
    "signed with the public key as if it were secret": lambda liar, nonce, iss: liar.signed(
        nonce, iss, key=OctKey.import_key(liar.key.as_pem(private=False)), alg="HS256"
    ),
    "not signed": _unsigned,
    "altered": _altered,
    "for another audience": lambda liar, nonce, iss: liar.signed(nonce, iss, aud="other"),
    "for another audience, by us": lambda liar, nonce, iss: liar.signed(nonce, iss, aud="other", azp="board"),
    "by another issuer": lambda liar, nonce, iss: liar.signed(nonce, "https://elsewhere.example"),
    "played again": lambda liar, nonce, iss: liar.signed("an older nonce", iss),
    "without a date": lambda liar, nonce, iss: liar.signed(nonce, iss, iat=None),
    "of a stranger": lambda liar, nonce, iss: liar.signed(nonce, iss, email="stranger@example.org"),
}  # fmt: skip


@pytest.fixture(scope="module")
def lied_to(seeded: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Liar, str, AccessSettings]]:
    """Serve the board behind the liar."""
    liar, file = Liar(), _people(tmp_path_factory.mktemp("liar"))
    with _board(seeded, liar.issuer, file) as address:
        yield liar, address, AccessSettings(issuer=liar.issuer, client_id="board", people=file)
    liar.server.shutdown()


def _returned(address: str) -> dict[str, Any]:
    """Sign in as a browser does, and return the claims that the board's cookie then holds, if it has one."""
    from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value

    until = int(time.time()) + 60
    token = jwt.encode({"alg": "HS256"}, {"provider": "default", "exp": until}, OctKey.import_key(COOKIE_SECRET))
    with httpx.Client(follow_redirects=True, timeout=30) as browser:
        browser.get(f"{address}/auth/login", params={"provider": token})
        kept = (browser.cookies.get("_streamlit_user") or "").strip('"')
    value = decode_signed_value(COOKIE_SECRET, "_streamlit_user", kept) if kept else None
    claims: dict[str, Any] = json.loads(value) if value else {}
    return claims


@pytest.mark.slow
def test_the_liar_can_also_tell_the_truth(lied_to: tuple[Liar, str, AccessSettings]) -> None:
    """Or what follows would prove nothing."""
    liar, address, access = lied_to
    liar.make = liar.good
    claims = _returned(address)
    assert person_of(claims, access, load_people(access.people), now=datetime.now(UTC)).role == "owner"


@pytest.mark.slow
@pytest.mark.parametrize("lie", LIES)
def test_a_lie_lets_nobody_in(lied_to: tuple[Liar, str, AccessSettings], lie: str) -> None:
    """Where Streamlit and Authlib let one pass, what is checked at each click does not."""
    liar, address, access = lied_to
    liar.make = lambda nonce, issuer: LIES[lie](liar, nonce, issuer)
    claims = _returned(address)
    with pytest.raises(SignInError):
        person_of(claims, access, load_people(access.people), now=datetime.now(UTC))


@pytest.mark.slow
@pytest.mark.browser
def test_a_person_signs_in_and_sees_what_is_theirs(seeded: World, tmp_path: Path) -> None:
    """By a real provider and a real browser: nothing before, one market after, no writing, nothing once taken away."""
    people = _people(tmp_path)
    arif = User(sub="arif", claims={"email": "arif@example.org", "email_verified": True})
    with run_server_in_thread(user_claims=[arif]) as provider, sync_playwright() as play:
        issuer = f"http://localhost:{provider.server_port}"
        browser = play.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        with _board(seeded, issuer, people) as address:
            page = browser.new_page()
            page.goto(f"{address}/search?q=market:SG OR market:MY")
            expect(page.get_by_role("button", name="Sign in")).to_be_visible(timeout=60_000)
            assert "Inbox" not in page.content()
            page.get_by_role("button", name="Sign in").click()
            page.get_by_label("sub").or_(page.locator("input[name=sub]")).first.fill("arif")
            page.get_by_role("button").first.click()
            expect(page.get_by_text("arif@example.org")).to_be_visible(timeout=60_000)
            page.goto(f"{address}/search?q=market:SG OR market:MY")
            expect(page.locator("body")).to_contain_text("MY", timeout=60_000)
            page.goto(f"{address}/sql")
            expect(page.get_by_text("Asking in SQL is for an analyst")).to_be_visible(timeout=60_000)
            people.write_text("people: {}\n")
            page.goto(f"{address}/inbox")
            expect(page.get_by_text("nothing here is theirs yet")).to_be_visible(timeout=60_000)
        browser.close()
    assert not any(row.who == "arif@example.org" for row in Audit(seeded.settings.data_dir).rows())
