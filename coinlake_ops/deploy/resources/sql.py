"""The database: the SQL files of the warehouse, its roles, and who is in them."""

from collections.abc import Mapping

from coinlake.errors import CoinlakeError
from coinlake.warehouse import EntraId
from coinlake_ops.deploy.clients import not_yet
from coinlake_ops.deploy.database import Database
from coinlake_ops.deploy.needed import needed
from coinlake_ops.deploy.resources.part import Change, ItemsPart
from coinlake_ops.desired_state import Item

OBJECTS, ACCESS = "database objects", "database access"


class Sql(ItemsPart):
    """Tables, views, indexes and procedures as the repository has them; members of the warehouse's roles."""

    name = "sql"
    purpose = "Azure SQL: the warehouse's tables and views, its roles and their members"

    def desired(self) -> list[Item]:
        """See ItemsPart; a managed identity is known to the database by the name of its resource."""
        environment = self._clients.environment
        members = {
            "coinlake_analyst": [environment.analysts_group],
            "coinlake_factory": [environment.factory],
            # Notebook 05 signs in as the access connector, by its service credential.
            "coinlake_loader": [environment.access_connector],
        }
        # Who loads may also change the procedure that the factory runs: in production only the pipeline does.
        members["coinlake_loader" if environment.name == "dev" else "coinlake_analyst"] += [
            environment.engineers_group
        ]
        return [
            Item(OBJECTS, environment.sql_database, {"waiting": []}),
            Item(ACCESS, environment.sql_database, {role: sorted(names) for role, names in members.items()}),
        ]

    def live(self) -> list[Item]:
        """See ItemsPart; who is in coinlake_reader is the administrators' business, and no drift."""
        database = self._clients.database()
        if database is None:
            return []
        name, waiting = self._clients.environment.sql_database, database.waiting()
        found = [Item(OBJECTS, name, {"waiting": waiting})]
        members = database.members() if self._is_built(waiting) else {}
        there = {role: members.get(role, []) for role in self.desired()[1].content}
        return found + ([Item(ACCESS, name, there)] if any(there.values()) else [])

    def removals(self) -> list[Change]:
        """See Part: everything here goes with the server, which the part resources removes."""
        return []

    def put(self, item: Item, before: Item | None) -> None:
        """See ItemsPart."""
        if item.kind == OBJECTS:
            self._database().build()
        else:
            self._database().give_access(item.content, self._ids())
            self._database().take_access(_others(before.content, item.content) if before else {})

    def remove(self, item: Item) -> None:
        """See ItemsPart: there is nothing that this part would remove alone."""
        raise AssertionError(f"{item.kind} is never removed")

    def _ids(self) -> dict[str, EntraId]:
        """Who each of the members is: a service principal that deploys may not ask the directory."""
        environment, clients = self._clients.environment, self._clients
        identities = {
            environment.factory: clients.factory_application_id,
            environment.access_connector: clients.access_connector_application_id,
        }
        missing = [name for name, application_id in identities.items() if application_id == not_yet(name)]
        if missing:
            raise CoinlakeError(f"{', '.join(missing)}: there is no identity yet. Apply the part resources first.")
        return {
            environment.engineers_group: EntraId(environment.engineers_group_id, is_group=True),
            environment.analysts_group: EntraId(environment.analysts_group_id, is_group=True),
            **{name: EntraId(application_id) for name, application_id in identities.items()},
        }

    def _is_built(self, waiting: list[str]) -> bool:
        return not any(name.startswith("migrations/") for name in waiting)

    def _database(self) -> Database:
        self._clients.needed_workspace()
        return needed(self._clients.database(), "deployment of the part resources")


def _others(there: Mapping[str, list[str]], wanted: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Role -> those of its members who should not be."""
    return {role: [name for name in names if name not in wanted[role]] for role, names in there.items()}
