"""Keeps sentences that mean nothing out of our logs."""

import logging

_NOISE = "ASGI callable returned without completing handshake."


def refuse_quietly() -> None:
    """Let a refused WebSocket be no error: uvicorn says so of each, though it was answered."""
    logging.getLogger("uvicorn.error").addFilter(_is_news)


def _is_news(record: logging.LogRecord) -> bool:
    return record.msg != _NOISE
