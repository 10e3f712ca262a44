"""A database as the deployment sees it; what really runs is proved on the double of SQL Server."""

from coinlake.errors import CoinlakeError


class FakeDatabase:
    """Files that are not applied yet, and members of roles; roles need what the files make."""

    def __init__(self):
        self.state = {"waiting": ["migrations/001_control", "views/coin"], "members": {}, "sids": {}}

    def answers(self, _host: str) -> bool:
        return False

    def waiting(self) -> list[str]:
        return [*self.state["waiting"]]

    def build(self) -> None:
        self.state["waiting"].clear()

    def members(self) -> dict[str, list[str]]:
        if not self._is_built():
            raise CoinlakeError("The database does not exist yet.")
        return {role: sorted(names) for role, names in self.state["members"].items()}

    def give_access(self, users, ids) -> None:
        """Source: Microsoft, "Entra service principals with Azure SQL": who deploys may not ask the directory."""
        if not self._is_built():
            raise CoinlakeError("access/roles: Cannot find the schema 'reporting'.")
        for name in {name for names in users.values() for name in names} - {*ids}:
            raise CoinlakeError(f"user {name}: Principal '{name}' could not be resolved.")
        for role, names in users.items():
            self.state["members"].setdefault(role, set()).update(names)
        self.state["sids"] = {name: (one.guid, one.is_group) for name, one in ids.items()}

    def take_access(self, members) -> None:
        for role, names in members.items():
            self.state["members"][role].difference_update(names)

    def _is_built(self) -> bool:
        return "migrations/001_control" not in self.state["waiting"]
