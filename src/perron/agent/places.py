"""Where things of an environment are: its uid, the ports of its instances, its folders."""

import errno
import os
import re
import socket
import threading
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select

from perron.kit import clock
from perron.kit.db import Database, reading, unit_of_work
from perron.kit.files import private_folder
from perron.kit.problems import NotFound, Temporary
from perron.kit.settings import Home, Settings

from .store import ports, uids

# Where every app may connect to, over TCP, on any host: names; the web; mail; PostgreSQL, MySQL,
# SQL Server, Oracle, MongoDB, Redis, Memcached; RabbitMQ, Kafka, NATS, MQTT over TLS;
# Elasticsearch; LDAP over TLS; OpenTelemetry. ``[network] connect`` adds to it.
CONNECT = (
    53, 80, 443, 25, 465, 587, 993, 995, 5432, 3306, 1433, 1521, 27017, 6379, 11211,
    5671, 5672, 9092, 4222, 8883, 9200, 636, 4317, 4318,
)  # fmt: skip
REST = timedelta(seconds=5)  # before a port serves another app: late visitors of the old one end


class Places:
    """Gives out uids, ports and folders, each to one holder at a time, and remembers them."""

    def __init__(
        self, database: Database, home: Home, settings: Settings, *, one_uid: bool = False
    ) -> None:
        """``one_uid``: everything runs as ourselves, as there are no sandboxes to enter."""
        self._one_uid = one_uid or os.geteuid() != 0
        self._database = database
        self._settings = settings
        self.home = home
        self._next_port = settings.instance_ports.start
        self._one_at_a_time = threading.Lock()
        self._uids: dict[str, int] = {}

    def uid_of(self, environment: str) -> int:
        """Return the environment's uid, its own until its files are gone; ours if not root."""
        if self._one_uid:
            return os.getuid()
        if (uid := self._uids.get(environment)) is None:
            uid = self._uids[environment] = self._kept_uid(environment)
        return uid

    def _kept_uid(self, environment: str) -> int:
        query = select(uids.c.uid).where(uids.c.environment == environment)
        with reading(self._database) as uow:
            if known := uow.connection.execute(query).scalar():
                return int(known)
        with unit_of_work(self._database) as uow:
            if known := uow.connection.execute(query).scalar():
                return int(known)
            taken = set(uow.connection.execute(select(uids.c.uid)).scalars())
            free = self._free(environment, taken)
            if free is None:
                raise Temporary("Every user id of this platform is in use: destroy an environment.")
            uow.connection.execute(uids.insert().values(environment=environment, uid=free))
            return free

    def free_uid(self, environment: str) -> None:
        """Give the uid back; only when no file of the environment is left."""
        with unit_of_work(self._database) as uow:
            uow.connection.execute(uids.delete().where(uids.c.environment == environment))
        self._uids.pop(environment, None)

    def claim_port(self, holder: str) -> int:
        """Return a port that nobody else has or listens on, claimed for ``holder``."""
        with self._one_at_a_time, unit_of_work(self._database) as uow:
            rested = ports.c.freed < clock.now() - REST
            uow.connection.execute(ports.delete().where(rested))
            taken = set(uow.connection.execute(select(ports.c.port)).scalars())
            for port in self._from_next():
                if port not in taken and port not in CONNECT and can_bind(port):
                    uow.connection.execute(ports.insert().values(port=port, holder=holder))
                    self._next_port = port + 1
                    return port
        raise Temporary("Every instance port of this platform is in use: scale something down.")

    def free_port(self, port: int) -> None:
        """Give a port back; it rests for a moment before anybody else gets it."""
        with unit_of_work(self._database) as uow:
            mine = ports.c.port == port
            uow.connection.execute(ports.update().where(mine).values(freed=clock.now()))

    def instance(self, instance: str) -> Path:
        """Return the folder of an instance: its spec, status and output."""
        return private_folder(self.home.node / "instances" / checked_id(instance))

    def volumes(self, environment: str) -> Path:
        """Return the folder that holds an environment's volumes."""
        return private_folder(self.home.node / "volumes" / checked_id(environment))

    def snapshots(self, environment: str) -> Path:
        """Return the folder that holds the snapshots of an environment's volumes."""
        return private_folder(self.home.node / "snapshots" / checked_id(environment))

    def _free(self, environment: str, taken: set[int]) -> int | None:
        """Choose a uid; after the loss of node.db the owner of its volumes, and of no other's."""
        band = self._settings.uids
        owners = {
            path.stat().st_uid: path.parent.name for path in self.home.node.glob("volumes/*/*/")
        }
        for uid, owner in owners.items():
            if owner == environment and uid in band and uid not in taken:
                return uid
        return next((uid for uid in band if uid not in taken and uid not in owners), None)

    def _from_next(self) -> list[int]:
        band = self._settings.instance_ports
        start = self._next_port if self._next_port in band else band.start
        return [*range(start, band.stop), *range(band.start, start)]


def connectable(settings: Settings, asked: Iterable[int] = ()) -> tuple[int, ...]:
    """Return the TCP ports a sandbox may connect to besides its own.

    Never another instance's, nor the edge's own unless they are the web's: the kernel judges by
    port and not by address, so that 443 here is 443 everywhere.
    """
    edge = {settings.http_port, settings.https_port} - {80, 443}
    return tuple(
        sorted(
            port
            for port in {*CONNECT, *asked}
            if 0 < port < 65_536 and port not in settings.instance_ports and port not in edge
        )
    )


def checked_id(id: str) -> str:
    """Return an id if it is one, for it becomes the name of a folder."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}", id):
        raise NotFound(f"{id[:40]!r} is nobody's id.")
    return id


def can_bind(port: int) -> bool:
    """Say whether nobody listens on a port, on any address."""
    for family, address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):  # noqa: S104 only tried
        try:
            with socket.socket(family, socket.SOCK_STREAM) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                probe.bind((address, port))
        except OSError as why:
            if why.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
    return True
