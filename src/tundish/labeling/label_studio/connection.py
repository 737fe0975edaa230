"""A connection to a Label Studio server, with every failure turned into one sentence.

It goes through the SDK's HTTP client, which knows both kinds of token. Only reading is tried again by itself:
what was sent and timed out may have been done.
"""

from __future__ import annotations

import json
import os
import stat
import time
from typing import TYPE_CHECKING, Any, Self

import httpx
import orjson
from label_studio_sdk.base_client import LabelStudioBase
from label_studio_sdk.core.api_error import ApiError
from pydantic import ValidationError

from tundish.errors import OutsideError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from label_studio_sdk.core.http_client import HttpClient

__all__ = ["PROJECTS", "USERS", "Connection", "find_token"]

PROJECTS, USERS = "api/projects/", "api/users/"
_ALWAYS_THERE = (PROJECTS, USERS)
_VARIABLES = ("LABEL_STUDIO_TOKEN", "LABEL_STUDIO_API_KEY")


def find_token(file: Path | None = None) -> str:
    """The token: from `file` where one is given, else from the environment.

    Raises:
        UsageError: There is none, or others may read the file.
    """
    if file is None:
        name = next((name for name in _VARIABLES if os.environ.get(name, "").strip()), "")
        if not name:
            raise UsageError(
                "no token for Label Studio is known",
                fix=f"set {_VARIABLES[0]}, or name a file that holds it with --token-file",
            )
        return _alone(os.environ[name], name)
    try:
        mode = file.stat().st_mode
        if os.name == "posix" and stat.S_ISREG(mode) and mode & 0o077:
            raise UsageError(
                f"others may read the token (mode {stat.S_IMODE(mode):o})",
                where=str(file),
                fix=f"run 'chmod 600 {file}'",
            )
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise UsageError(
            f"the token cannot be read ({reason})", where=str(file), fix="name another file"
        ) from error
    return _alone(text, str(file))


def _alone(text: str, where: str) -> str:
    token = text.strip()
    if not token or not token.isascii() or any(letter.isspace() for letter in token):
        raise UsageError("there is no token in it", where=where, fix="put the token alone on one line")
    return token


def _checked(address: str) -> str:
    """The address, where it can be one: a name and a password in it would be told with every error."""
    try:
        url = httpx.URL(address)
    except httpx.InvalidURL:
        url = httpx.URL()
    spaced = any(letter.isspace() for letter in address)
    if spaced or url.scheme not in ("http", "https") or not url.host or url.query or url.fragment:
        raise UsageError(
            "this is no address of a server", where=address, fix="write it as http://127.0.0.1:8080"
        )
    if url.userinfo:
        raise UsageError(
            "the address of Label Studio must not hold a name or a password",
            where=url.host,
            fix="write it as http://127.0.0.1:8080; the token is what signs in",
        )
    return str(url).rstrip("/")


class Connection:
    """One server, one token.

    Args:
        address: As the browser shows it: http://127.0.0.1:8080.
        token: A legacy token or a personal access token; never shown.
        timeout: Seconds without a byte from the server after which a call is given up.
        tries: How often a question is asked; what writes is sent once.

    Raises:
        OutsideError: From every method: the server is down or slow, refuses the token or lacks the project.
    """

    def __init__(self, address: str, token: str, *, timeout: float = 120.0, tries: int = 3) -> None:
        self.address = _checked(address)
        self._token = token
        self._tries = tries
        self._timeout = timeout
        # Label Studio sends head and body apart: on a connection that is kept open, the body waits
        # 40 ms for the head to be acknowledged. Without TLS, a new connection costs next to nothing.
        kept = None if self.address.startswith("https:") else 0
        self._http = httpx.Client(
            timeout=timeout, follow_redirects=True, limits=httpx.Limits(max_keepalive_connections=kept)
        )
        self._sdk: LabelStudioBase = self._told(
            "signing in",
            lambda: LabelStudioBase(
                base_url=self.address, api_key=token, httpx_client=self._http, max_retries=0
            ),
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.address!r})"

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def get(self, doing: str, path: str, **query: Any) -> Any:
        """Ask for something, again where that may help.

        Args:
            doing: What for, in words that end the sentence of a failure.
            path: Of the call, below the address.
            query: What the address ends with.
        """
        return self._told(doing, lambda: self._ask(doing, "GET", path, params=query), tries=self._tries)

    def post(self, doing: str, path: str, body: object) -> Any:
        """Send something once; the answer."""
        return self._told(doing, lambda: self._ask(doing, "POST", path, json=body))

    def send(self, doing: str, method: str, path: str, **what: Any) -> None:
        """Send something once, whatever the answer."""
        self._told(doing, lambda: self._ask(doing, method, path, **what))

    def objected(self, doing: str, method: str, path: str, body: object) -> str | None:
        """Send something once; what the server has against it, if anything."""

        def send() -> str | None:
            try:
                self._ask(doing, method, path, json=body)
            except ApiError as error:
                if error.status_code != 400:
                    raise
                return _objection(str(error.body))
            return None

        said: str | None = self._told(doing, send)
        return said

    def _ask(self, doing: str, method: str, path: str, **what: Any) -> Any:
        if "json" in what:
            what["content"] = orjson.dumps(what.pop("json"))
            what["headers"] = {"Content-Type": "application/json"}
        http: HttpClient = self._sdk._client_wrapper.httpx_client  # noqa: SLF001  (the SDK's only door)
        response = http.request(path, method=method, **what)
        if response.status_code == 404 and path in _ALWAYS_THERE:
            raise self._stranger(doing)
        if response.status_code >= 400:
            raise ApiError(status_code=response.status_code, body=response.text)
        if not response.content:
            return None
        try:
            return orjson.loads(response.content)
        except orjson.JSONDecodeError:
            raise self._stranger(doing) from None

    def _stranger(self, doing: str) -> OutsideError:
        what = f"what answers here is no Label Studio (while {doing})"
        return OutsideError(what, where=self.address, fix="correct the address")

    def _told(self, doing: str, ask: Callable[[], Any], *, tries: int = 1) -> Any:
        """Ask, again where that may help; a failure becomes a sentence."""
        for attempt in range(1, tries + 1):
            try:
                return ask()
            except httpx.TransportError as error:
                if attempt == tries:
                    raise self._unreachable(doing, error) from None
            except ApiError as error:
                if attempt == tries or (error.status_code or 500) < 500:
                    raise self._refused(doing, error) from None
            except (json.JSONDecodeError, ValidationError):
                # The SDK renews a personal token by itself, and takes whatever answers for the server.
                raise self._stranger(doing) from None
            time.sleep(0.5 * attempt)
        raise AssertionError

    def _unreachable(self, doing: str, error: httpx.TransportError) -> OutsideError:
        again = "run the command again: it goes on where it stopped"
        if isinstance(error, httpx.TimeoutException):
            what = f"Label Studio did not answer within {self._timeout:g} s while {doing}"
            return OutsideError(what, where=self.address, fix=again)
        if isinstance(error, httpx.ConnectError | httpx.UnsupportedProtocol):
            what = f"no Label Studio answers (while {doing})"
            return OutsideError(what, where=self.address, fix="start it, or correct the address")
        return OutsideError(f"Label Studio broke off while {doing}", where=self.address, fix=again)

    def _refused(self, doing: str, error: ApiError) -> OutsideError:
        status = error.status_code
        if status in (401, 403):
            what = f"Label Studio refuses the token while {doing}: it is wrong, expired or not allowed to"
            return OutsideError(
                what, where=self.address, fix="take a fresh one from the server's account page"
            )
        if status == 404:
            what = f"the server has no such thing (any more) while {doing}: the project may have been deleted"
            return OutsideError(what, where=self.address, fix="push again to make it anew")
        said = " ".join(str(error.body).replace(self._token, "...").split())[:200]
        what = f"Label Studio answered {status} while {doing} ({said})"
        return OutsideError(what, where=self.address, fix="see the server's log and run the command again")


def _objection(body: str) -> str:
    """The server's own words in an answer that refuses something."""
    try:
        said = orjson.loads(body)["validation_errors"]
        return " ".join(" ".join(words) for words in said.values())
    except (ValueError, KeyError, TypeError, AttributeError):
        return body
