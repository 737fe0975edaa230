"""A connection to a Label Studio server that turns every failure into one sentence.

It uses the SDK's HTTP client, which handles both kinds of token. Only reading is retried automatically: a
write that timed out may have been done.
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
    """Find the token: in `file` where one is given, else in the environment.

    Raises:
        UsageError: There is no token, the file cannot be read, or other users may read it.
    """
    if file is None:
        name = next((name for name in _VARIABLES if os.environ.get(name, "").strip()), "")
        if not name:
            raise UsageError(
                "no token for Label Studio is set",
                fix=f"set {_VARIABLES[0]}, or name a file that holds it with --token-file",
            )
        return _check_token(os.environ[name], name)
    try:
        mode = file.stat().st_mode
        if os.name == "posix" and stat.S_ISREG(mode) and mode & 0o077:
            raise UsageError(
                f"other users may read the token (mode {stat.S_IMODE(mode):o})",
                where=str(file),
                fix=f"run 'chmod 600 {file}'",
            )
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise UsageError(
            f"the token cannot be read ({reason})", where=str(file), fix="name another file"
        ) from error
    return _check_token(text, str(file))


def _check_token(text: str, where: str) -> str:
    token = text.strip()
    if not token or not token.isascii() or any(letter.isspace() for letter in token):
        raise UsageError("it does not hold a token", where=where, fix="put the token alone on one line")
    return token


def _check_address(address: str) -> str:
    """Check and normalise the address; a name and password in it would show in every error."""
    try:
        url = httpx.URL(address)
    except httpx.InvalidURL:
        url = httpx.URL()
    spaced = any(letter.isspace() for letter in address)
    if spaced or url.scheme not in ("http", "https") or not url.host or url.query or url.fragment:
        raise UsageError(
            "this is not the address of a server", where=address, fix="write it as http://127.0.0.1:8080"
        )
    if url.userinfo:
        raise UsageError(
            "the address of Label Studio must not contain a name or a password",
            where=url.host,
            fix="write it as http://127.0.0.1:8080; the token signs in",
        )
    return str(url).rstrip("/")


class Connection:
    """A connection to one server with one token.

    Args:
        address: The server's address as the browser shows it: http://127.0.0.1:8080.
        token: A legacy token or a personal access token; it is never shown.
        timeout: Seconds without a byte from the server after which a request fails.
        tries: How often a read is tried; a write is sent once.

    Raises:
        UsageError: The address is not the address of a server, or contains a name or a password.
        OutsideError: From every method: the server is down or slow, refuses the token or lacks the project.
    """

    def __init__(self, address: str, token: str, *, timeout: float = 120.0, tries: int = 3) -> None:
        self.address = _check_address(address)
        self._token = token
        self._tries = tries
        self._timeout = timeout
        # Label Studio sends head and body apart: on a connection that is kept open, the body waits
        # 40 ms for the head to be acknowledged. Without TLS, a new connection costs next to nothing.
        kept = None if self.address.startswith("https:") else 0
        self._http = httpx.Client(
            timeout=timeout, follow_redirects=True, limits=httpx.Limits(max_keepalive_connections=kept)
        )
        self._sdk: LabelStudioBase = self._call(
            "signing in",
            lambda: LabelStudioBase(
                base_url=self.address, api_key=token, httpx_client=self._http, max_retries=0
            ),
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.address!r})"

    def close(self) -> None:
        """Close the HTTP connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def get(self, doing: str, path: str, **query: Any) -> Any:
        """Send a GET request, again where that may help, and return the decoded answer.

        Args:
            doing: The purpose, in words that end the sentence of a failure: 'listing the tasks'.
            path: Path of the request, below the address.
            query: Parameters of the query string.
        """
        return self._call(doing, lambda: self._request(doing, "GET", path, params=query), tries=self._tries)

    def post(self, doing: str, path: str, body: object) -> Any:
        """Send a POST request once and return the decoded answer; `doing` and `path` as for `get`."""
        return self._call(doing, lambda: self._request(doing, "POST", path, json=body))

    def send(self, doing: str, method: str, path: str, **what: Any) -> None:
        """Send a request once and ignore the answer; `doing` and `path` as for `get`."""
        self._call(doing, lambda: self._request(doing, method, path, **what))

    def try_send(self, doing: str, method: str, path: str, body: object) -> str | None:
        """Send a request once; return the server's objection to its content, None where it accepts it."""

        def send() -> str | None:
            try:
                self._request(doing, method, path, json=body)
            except ApiError as error:
                if error.status_code != 400:
                    raise
                return _objection(str(error.body))
            return None

        objection: str | None = self._call(doing, send)
        return objection

    def _request(self, doing: str, method: str, path: str, **what: Any) -> Any:
        if "json" in what:
            what["content"] = orjson.dumps(what.pop("json"))
            what["headers"] = {"Content-Type": "application/json"}
        http: HttpClient = self._sdk._client_wrapper.httpx_client  # noqa: SLF001  (the SDK's only door)
        response = http.request(path, method=method, **what)
        if response.status_code == 404 and path in _ALWAYS_THERE:
            raise self._not_label_studio(doing)
        if response.status_code >= 400:
            raise ApiError(status_code=response.status_code, body=response.text)
        if not response.content:
            return None
        try:
            return orjson.loads(response.content)
        except orjson.JSONDecodeError:
            raise self._not_label_studio(doing) from None

    def _not_label_studio(self, doing: str) -> OutsideError:
        what = f"the server at this address is not Label Studio (while {doing})"
        return OutsideError(what, where=self.address, fix="correct the address")

    def _call(self, doing: str, request: Callable[[], Any], *, tries: int = 1) -> Any:
        """Make a request, again where that may help, and turn a failure into a sentence."""
        for attempt in range(1, tries + 1):
            try:
                return request()
            except httpx.TransportError as error:
                if attempt == tries:
                    raise self._unreachable(doing, error) from None
            except ApiError as error:
                if attempt == tries or (error.status_code or 500) < 500:
                    raise self._refused(doing, error) from None
            except (json.JSONDecodeError, ValidationError):
                # The SDK renews a personal token by itself, and takes any answer for the server's.
                raise self._not_label_studio(doing) from None
            time.sleep(0.5 * attempt)
        raise AssertionError

    def _unreachable(self, doing: str, error: httpx.TransportError) -> OutsideError:
        again = "run the command again: it continues where it stopped"
        if isinstance(error, httpx.TimeoutException):
            what = f"Label Studio did not answer within {self._timeout:g} s while {doing}"
            return OutsideError(what, where=self.address, fix=again)
        if isinstance(error, httpx.ConnectError | httpx.UnsupportedProtocol):
            what = f"Label Studio does not answer (while {doing})"
            return OutsideError(what, where=self.address, fix="start it, or correct the address")
        return OutsideError(f"Label Studio broke off while {doing}", where=self.address, fix=again)

    def _refused(self, doing: str, error: ApiError) -> OutsideError:
        status = error.status_code
        if status in (401, 403):
            what = f"Label Studio refuses the token while {doing}: it is wrong, expired or lacks permission"
            return OutsideError(what, where=self.address, fix="copy a new one from the server's account page")
        if status == 404:
            what = f"Label Studio answered 404 while {doing}: the project may have been deleted"
            return OutsideError(what, where=self.address, fix="push again to create it")
        body = " ".join(str(error.body).replace(self._token, "...").split())[:200]
        what = f"Label Studio answered {status} while {doing} ({body})"
        return OutsideError(what, where=self.address, fix="check the server's log and run the command again")


def _objection(body: str) -> str:
    """The server's own words in an answer that refuses a request."""
    try:
        errors = orjson.loads(body)["validation_errors"]
        return " ".join(" ".join(words) for words in errors.values())
    except (ValueError, KeyError, TypeError, AttributeError):
        return body
