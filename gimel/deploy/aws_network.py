"""What to say where the AWS SDK gets no answer: at proxies, and about certificates. Pure.

`gimel.api.http` does the same for requests outside the SDK, and has the sentences.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from gimel.api import http
from gimel.errors import GimelError


def final_failure(cause: BaseException, url: str, *, at_proxy: bool) -> GimelError | None:
    """Return what to say about a failed connection to a URL, None if it may pass by itself.

    `cause` is the exception below the SDK's; `at_proxy` says that it is about the proxy.
    """
    try:
        proxy = http.proxy_for(url)
    except GimelError as unusable:
        return unusable
    if proxy and at_proxy and (refusal := http.tunnel_refusal(cause)):
        failure = http.proxy_refusal(proxy, url, *refusal)
        return None if failure.passes else failure
    if http.certificate_problem(cause):
        name = f"the proxy {proxy.address}" if proxy and at_proxy else urlsplit(url).hostname
        return http.untrusted(str(name), cause)
    if isinstance(cause, UnicodeError) and proxy and proxy.login:
        return GimelError(
            f"The AWS SDK cannot send the login of the proxy {proxy.address}.",
            "It supports only ASCII characters in user names and passwords.",
        )
    return None


def describe(text: str, url: str, *, at_proxy: bool) -> str:
    """Return the SDK's text about a failed connection, which may hold the login of a proxy."""
    proxy = http.proxy_for(url) if at_proxy else None
    return http.proxy_unreachable(proxy).message if proxy else text
