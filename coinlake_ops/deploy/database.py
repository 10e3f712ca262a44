"""The warehouse in Azure SQL Database as a deployment sees it: its SQL files, and who is in which role."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from coinlake import warehouse
from coinlake.errors import WarehouseError
from coinlake.warehouse import AzureSqlWarehouse, EntraId
from coinlake.warehouse.sql import scripts
from coinlake_ops.deploy.needed import CLOSED, FROM_INSIDE, NotAllowed

# What a server says to whom it does not let in: Azure SQL Database, errors 18456, 40615 and 916.
REFUSALS = (
    "Login failed",
    "is not allowed to access the server",
    "permission was denied",
    "is not able to access",
)
MEMBERS = """\
SELECT
    role.name AS role,
    member.name AS member
FROM sys.database_role_members AS membership
INNER JOIN sys.database_principals AS role ON role.principal_id = membership.role_principal_id
INNER JOIN sys.database_principals AS member ON member.principal_id = membership.member_principal_id
WHERE role.name LIKE 'coinlake_%'
ORDER BY role.name, member.name
"""


class Database:
    """One warehouse in Azure SQL; every call opens and closes its own connection."""

    def __init__(self, warehouse: AzureSqlWarehouse):
        self._warehouse = warehouse

    def waiting(self) -> list[str]:
        """The SQL files that the database lacks or holds with another text, in the order in which they run.

        Raises NotAllowed when the identity is no user of the database, or its machine is not let through.
        """
        try:
            applied = self._warehouse.attempt(lambda: warehouse.state(self._warehouse)).applied
        except WarehouseError as error:
            if CLOSED.search(str(error)):
                raise NotAllowed(f"{error} {FROM_INSIDE}") from None
            if any(refusal in str(error) for refusal in REFUSALS):
                raise NotAllowed(str(error)) from None
            raise
        return [scripts.name(path) for path in warehouse.outdated(applied, self._warehouse.extras())]

    def build(self) -> None:
        """Run the files that are waiting, in one transaction."""
        self._warehouse.attempt(lambda: warehouse.migrate(self._warehouse))

    def members(self) -> dict[str, list[str]]:
        """Role -> its members, sorted; of the warehouse's own roles."""
        found = defaultdict(list)
        for row in self._warehouse.query(MEMBERS).to_dict("records"):
            found[row["role"]].append(row["member"])
        # Not in the order of the database's collation.
        return {role: sorted(names) for role, names in found.items()}

    def give_access(self, users: Mapping[str, Iterable[str]], ids: Mapping[str, EntraId]) -> None:
        """Make the roles, and users with them: role -> names, and the id of each name, in Microsoft Entra ID."""
        self._warehouse.attempt(lambda: self._warehouse.give_access(users, ids))

    def take_access(self, members: Mapping[str, Iterable[str]]) -> None:
        """Take members out of roles: role -> names. As users of the database they stay."""
        self._warehouse.attempt(lambda: self._warehouse.take_access(members))
