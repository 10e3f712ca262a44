"""The project's own factory, played from scripts on the virtual clock."""

from datetime import UTC, datetime

from adf_lab import CONTROL_ACTIVITIES, Engine, Script, VirtualClock, all_activities, load_factory, walk
from coinlake_ops.factory import FACTORY, parameters

START = datetime(2026, 8, 12, 14, 22, tzinfo=UTC)


def succeeded(**output):
    return [{"status": "Succeeded", "output": output}]


def failed(message="broken", code="E"):
    return [{"status": "Failed", "error": {"errorCode": code, "message": message}}]


def notebook(read=0, written=0, rejected=0):
    return succeeded(runOutput={"rows_read": read, "rows_written": written, "rows_rejected": rejected})


# What each activity answers when all is well.
ANSWERS = {
    "ping": succeeded(gecko_says="…", ADFWebActivityResponseHeaders={"Date": "Wed, 12 Aug 2026 14:22:00 GMT"}),
    "get_api_key": succeeded(value="a-demo-key"),
    "get_alert_url": succeeded(value="https://alerts.invalid/secret-path"),
    "ingest_market": notebook(53, 52, 1),
    "ingest_context": notebook(3, 3),
    "silver": notebook(20_000, 19_990, 10),
    "gold": notebook(19_990, 5_000),
    "load_notebook": notebook(5_000, 5_000),
    "report_price_averages": notebook(100),
    "report_market_trends": notebook(100),
    "report_pipeline_health": notebook(100),
    "read_load_log": [{"status": "Succeeded", "rows": [{"loaded_rows": 4_711}]}],
}


class Played:
    """One run of the factory from a script: the pipeline run, and the inputs that its executors were given."""

    def __init__(self, pipeline, given=None, answers=None, overrides=()):
        self.factory = load_factory(FACTORY)
        self.calls = []
        script = Script(ANSWERS | (answers or {}))

        async def execute(call):
            self.calls.append(call)
            return await script.execute(call)

        executors = dict.fromkeys(execution_types(self.factory), execute)
        values = parameters.values("local", overrides)
        self.run = Engine(self.factory.pipelines, executors, VirtualClock(START), values).run(pipeline, given)
        self.runs = list(walk(self.run.activities))

    def statuses(self, name):
        return [run.status for run in self.runs if run.name == name]

    def attempts(self, name):
        return sum(len(run.attempts) for run in self.runs if run.name == name)

    def called(self, name):
        return [call for call in self.calls if call.name == name]

    @property
    def ran(self):
        """The names of the activities that did work, in the order of their first attempts."""
        return list(dict.fromkeys(call.name for call in self.calls))


def execution_types(factory):
    return {activity["type"] for _, activity in activities(factory)} - set(CONTROL_ACTIVITIES)


def activities(factory):
    """Pairs (pipeline, activity) of every activity of a factory."""
    for name, document in factory.pipelines.items():
        for _, activity in all_activities(document["properties"]["activities"]):
            yield name, activity
