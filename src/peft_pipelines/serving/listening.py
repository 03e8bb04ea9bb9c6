"""The socket that a server listens on."""

import socket

from peft_pipelines.config.errors import ConfigError


def bound(host: str, port: int) -> socket.socket:
    """Return a socket that is bound to an address and listens; 0 is any free port.

    Raises:
        ConfigError: the address is unknown, is not of this machine, or is taken.
    """
    sock = None
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        sock = socket.socket(family, kind)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        sock.listen()  # until one listens, others that allow addresses to be used again may bind the same
    except (OSError, UnicodeError) as error:
        if sock:
            sock.close()
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError(f"--host, --port: cannot listen on '{host}', port {port}: {reason}") from None
    return sock
