"""Who is at the board: what the OpenID Connect provider says of somebody, and what that lets them do.

Streamlit's sign-in (Authlib) checks a token's signature, expiry, issuer and nonce when somebody comes back from the
provider, and then believes a cookie of its own for 30 days. What it does not check is checked here at every click: that
the token was made for this board (Authlib takes another audience where ``azp`` is ours), that issuer and client are
still those of the settings, and that the sign-in is not too old (OpenID Connect Core 1.0, 3.1.3.7).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

from groundswell.configs.people import Grant, People
from groundswell.configs.schema import AccessSettings, Role
from groundswell.index.permitted import ROLES, Person
from groundswell.index.store import StoreError

CLOCKS_DIFFER = timedelta(minutes=2)
"""How far ahead of this machine's clock the provider's may be."""
ALL_MARKETS = "*"


class SignInError(StoreError):
    """Somebody is not known, or not any more; the message says why and what to do."""


def person_of(claims: Mapping[str, Any], access: AccessSettings, people: People, *, now: datetime) -> Person:
    """Return who somebody is and what they may, by the claims of their identity token.

    Raises:
        SignInError: the token is not good here, or they are named nowhere.
    """
    _genuine(claims, access, now)
    name = _name(claims, access.name_claim)
    grant = _granted(name, _words(claims.get(access.roles_claim)), access, people)
    return Person(name, grant.role, _markets(claims, access, grant))


def _genuine(claims: Mapping[str, Any], access: AccessSettings, now: datetime) -> None:
    """Do nothing if a token was made for this board by its provider, lately."""
    if not claims:
        raise SignInError("sign in first")
    if str(claims.get("iss", "")).rstrip("/") != access.issuer.rstrip("/"):
        raise SignInError("this sign-in is by another provider than access.issuer names: sign in again")
    meant_for = _words(claims.get("aud"))
    authorized = claims.get("azp", access.client_id)
    if access.client_id not in meant_for or authorized != access.client_id:
        raise SignInError("this sign-in was made for another program: sign in again")
    at = _time(claims.get("iat"))
    if at is None or at > now + CLOCKS_DIFFER:
        raise SignInError("this sign-in does not say when it was, or says a time to come: sign in again")
    if now >= at + timedelta(hours=access.session_hours):
        raise SignInError(f"this sign-in is older than {access.session_hours:g} hours: sign in again")


def _time(value: object) -> datetime | None:
    try:
        good = isinstance(value, int | float) and not isinstance(value, bool)
        return datetime.fromtimestamp(float(str(value)), UTC) if good else None
    except (ValueError, OverflowError, OSError):
        return None


def _name(claims: Mapping[str, Any], claim: str) -> str:
    name = "".join(char for char in str(claims.get(claim) or "") if char.isprintable()).strip()[:80]
    if not name:
        raise SignInError(f"the provider says no {claim!r}, which is to name people here (access.name_claim)")
    if claim == "email" and claims.get("email_verified") is False:
        raise SignInError("the provider has not verified this mail address, so it names nobody here")
    return name


def _words(value: object) -> list[str]:
    """Return the texts of a claim that is a text or a list."""
    if isinstance(value, str):
        return value.split()
    return [str(each) for each in value] if isinstance(value, list | tuple) else []


def _granted(name: str, groups: list[str], access: AccessSettings, people: People) -> Grant:
    """Return what a person's own entry says, else the most of what their groups say, else what others may."""
    if (own := people.person(name)) is not None:
        return own
    unnamed: list[Role] = [role for role in get_args(Role) if role in groups and role not in people.groups]
    grants = [*people.of_groups(groups), *(Grant(role=role) for role in unnamed)]
    if grants:
        everywhere = any(not grant.markets for grant in grants)
        markets = () if everywhere else tuple(sorted({market for grant in grants for market in grant.markets}))
        return Grant(role=max((grant.role for grant in grants), key=ROLES.index), markets=markets)
    if access.others:
        return Grant(role=access.others)
    raise SignInError(f"{name} is signed in, but nothing here is theirs yet: somebody who runs this board can add them")


def _markets(claims: Mapping[str, Any], access: AccessSettings, grant: Grant) -> tuple[str, ...]:
    """Return the markets of both the claim and the grant, where each says some."""
    if not access.markets_claim:
        return grant.markets
    said = _words(claims.get(access.markets_claim))
    if not said:
        raise SignInError(f"the provider says no {access.markets_claim!r}, by which people are limited to markets here")
    if ALL_MARKETS in said:
        return grant.markets
    named = {one.upper() for one in said}
    both = tuple(sorted(named & set(grant.markets) if grant.markets else named))
    if not both:
        raise SignInError("the markets that the provider says and those that are granted here have none in common")
    return both
