"""Runs SQL on a Databricks SQL warehouse through statement execution."""

import time
from collections.abc import Callable

from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import DatabricksError
from databricks.sdk.service.sql import (
    ExecuteStatementRequestOnWaitTimeout,
    StatementResponse,
    StatementState,
    StatementStatus,
)

from coinlake.errors import CoinlakeError
from coinlake_ops.deploy.needed import needed

NAME = "coinlake"
SECONDS_BETWEEN_POLLS = 2
RUNNING = (StatementState.PENDING, StatementState.RUNNING)


def needed_id(workspace: WorkspaceClient) -> str:
    """The id of the SQL warehouse; raises CoinlakeError when there is none."""
    found = next((one.id for one in workspace.warehouses.list() if one.name == NAME), None)
    if found is None:
        raise CoinlakeError(f"The workspace has no SQL warehouse {NAME}. Apply the part compute first.")
    return found


class SqlWarehouse:
    """The SQL warehouse called coinlake; a statement that fails is an error that shows it."""

    def __init__(self, workspace: WorkspaceClient, sleep: Callable[[float], None] = time.sleep):
        self._workspace = workspace
        self._sleep = sleep
        self._id = next((found.id for found in workspace.warehouses.list() if found.name == NAME), None)

    @property
    def exists(self) -> bool:
        """Whether there is such a warehouse in the workspace."""
        return self._id is not None

    def query(self, statement: str) -> list[dict[str, str | None]]:
        """The rows of a SELECT, each a mapping of column names to texts; raises CoinlakeError as `execute`."""
        answer = self._run(statement)
        columns = [column.name for column in answer.manifest.schema.columns]
        rows = list(answer.result.data_array or []) if answer.result else []
        for chunk in range(1, answer.manifest.total_chunk_count or 1):
            part = self._workspace.statement_execution.get_statement_result_chunk_n(answer.statement_id, chunk)
            rows += part.data_array or []
        return [dict(zip(columns, row, strict=True)) for row in rows]

    def execute(self, statement: str) -> None:
        """Run one statement; raises CoinlakeError with its text and Databricks' reason."""
        self._run(statement)

    def _run(self, statement: str):
        if self._id is None:
            raise CoinlakeError(f"The workspace has no SQL warehouse {NAME}. Apply the part compute first.")
        api = self._workspace.statement_execution
        try:
            answer = api.execute_statement(
                statement,
                self._id,
                wait_timeout="50s",
                on_wait_timeout=ExecuteStatementRequestOnWaitTimeout.CONTINUE,
            )
            while _status(answer).state in RUNNING:
                self._sleep(SECONDS_BETWEEN_POLLS)
                answer = api.get_statement(needed(answer.statement_id, "id of the statement"))
        except DatabricksError as error:
            raise CoinlakeError(f"The SQL warehouse {NAME} refuses: {error}\n{statement}") from None
        status = _status(answer)
        if status.state is not StatementState.SUCCEEDED:
            refusal = status.error
            reason = refusal.message if refusal else needed(status.state, "known state of the statement").value
            raise CoinlakeError(f"Unity Catalog refuses: {reason}\nThe statement was:\n{statement}")
        return answer


def _status(answer: StatementResponse) -> StatementStatus:
    return needed(answer.status, "status of the statement")
