"""Errors of the endpoint in the form that OpenAI's clients know, and the text that is refused everywhere."""

from typing import Any, Final

SERVER_ERROR: Final = 500


class ApiError(Exception):
    """A request that is not answered.

    Args:
        status: the HTTP status.
        message: what the client reads, in one line.
        code: the kind of the mistake, in a word for programs.
        param: the field of the request that it lies in.
    """

    def __init__(self, status: int, message: str, code: str | None = None, param: str | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.code, self.param = status, message, code, param

    def body(self) -> dict[str, Any]:
        """Return the body of the response.

        >>> ApiError(404, "unknown model 'x'", "model_not_found", "model").body()["error"]["type"]
        'invalid_request_error'
        """
        kind = "server_error" if self.status >= SERVER_ERROR else "invalid_request_error"
        return {"error": {"message": self.message, "type": kind, "param": self.param, "code": self.code}}
