"""TLS to Redis. Loaded only if TLS is on, because `ssl` is an expensive import."""

import ssl
from functools import lru_cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gimel.runtime.settings import RedisOptions


@lru_cache(maxsize=1)  # reading the CA certificates takes 20 ms, and far longer on a small Lambda
def context(options: "RedisOptions") -> ssl.SSLContext:
    """Return the context that the options describe. Raises OSError or ValueError."""
    context = ssl.create_default_context(cafile=options.ssl_ca_certs, cadata=options.ssl_ca_data)
    if options.ssl_certfile:
        context.load_cert_chain(options.ssl_certfile, options.ssl_keyfile)
    if options.ssl_cert_reqs == "none":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    else:
        context.check_hostname = options.ssl_check_hostname
    return context
