"""A factory over a folder and a database of this machine, and what is needed to run single activities of it."""

import zipfile
from itertools import pairwise

from adf_lab import Engine, load_factory
from adf_lab.local import local_executors, read_mapping
from adf_support.factories import reference, write_factory

MAPPING = """
linkedServices:
  ls_lake: {folder: lake}
  ls_sql: {duckdb: sql.duckdb}
  ls_other: {duckdb: other.duckdb}
hosts: [127.0.0.1]
"""


def service(kind):
    return {"properties": {"type": kind, "typeProperties": {}}}


def dataset(kind, linked_service, **type_properties):
    linked = reference(linked_service, "LinkedService")
    return {"properties": {"type": kind, "linkedServiceName": linked, "typeProperties": type_properties}}


def files(kind, folder="", file="", **type_properties):
    """A dataset of files in the container `in`."""
    location = {"type": "AzureBlobFSLocation", "fileSystem": "in", "folderPath": folder, "fileName": file}
    return dataset(kind, "ls_lake", location=location, **type_properties)


def table(name, linked_service="ls_sql"):
    return dataset("AzureSqlTable", linked_service, schema="dbo", table=name)


class Laptop:
    """Runs activities over datasets, in a folder of their own."""

    def __init__(self, folder):
        self.folder, self.lake = folder, folder / "lake" / "in"
        self.lake.mkdir(parents=True)
        (folder / "adf.local.yml").write_text(MAPPING)

    def put(self, path, content):
        """Write a file of the container and return its path."""
        target = self.lake / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.encode())
        return target

    def factory(self, activities, datasets=None):
        documents = {f"dataset/{name}.json": document for name, document in (datasets or {}).items()}
        kinds = {"ls_lake": "AzureBlobFS", "ls_sql": "AzureSqlDatabase", "ls_other": "AzureSqlDatabase"}
        documents |= {f"linkedService/{name}.json": service(kind) for name, kind in kinds.items()}
        documents |= {"linkedService/ls_far.json": service("AzureBlobFS")}
        documents["pipeline/pl.json"] = {"properties": {"activities": activities}}
        return load_factory(write_factory(self.folder / "factory", documents))

    def run(self, activities, datasets=None, script=None, chained=True):
        """The run of a pipeline with some activities, one after the other or at once."""
        for before, activity in pairwise(activities if chained else []):
            activity["dependsOn"] = [{"activity": before["name"], "dependencyConditions": ["Succeeded"]}]
        factory = self.factory(activities, datasets)
        mapping = read_mapping(self.folder / "adf.local.yml")
        with local_executors(factory, mapping, script) as executors:
            return Engine(factory.pipelines, executors).run("pl")

    def output(self, activity, datasets=None):
        """The output of one activity that must succeed."""
        [run] = self.run([activity], datasets).activities
        assert run.error is None, run.error
        return run.output

    def failure(self, activity, datasets=None):
        """The code and message of one activity that must fail."""
        [run] = self.run([activity], datasets).activities
        assert run.error is not None, run.output
        return run.error["errorCode"], run.error["message"]

    def copied(self, source, sink, given=None, name="copy", **more):
        """What a Copy between two datasets gives."""
        return self.output(copy(name, given, **more), {"source": source, "sink": sink})


def copy(name="copy", given=None, source="source", sink="sink", **more):
    properties = {"source": {"type": "any"}, "sink": {"type": "any"}} | (given or {}) | more
    return {
        "name": name,
        "type": "Copy",
        "inputs": [reference(source, "Dataset")],
        "outputs": [reference(sink, "Dataset")],
        "typeProperties": properties,
    }


def script(text, kind="NonQuery", name="script", linked_service="ls_sql", **more):
    return {
        "name": name,
        "type": "Script",
        "linkedServiceName": reference(linked_service, "LinkedService"),
        "typeProperties": {"scripts": [{"type": kind, "text": text, **more}]},
    }


def lookup(source=None, name="lookup", target="data", **more):
    properties = {"source": source or {"type": "any"}, "dataset": reference(target, "Dataset"), **more}
    return {"name": name, "type": "Lookup", "typeProperties": properties}


def workbook(path, *rows):
    """Write a workbook of one sheet `data` with texts and numbers."""

    def cell(value):
        if isinstance(value, str):
            return f'<c t="inlineStr"><is><t>{value}</t></is></c>'
        return f"<c><v>{value}</v></c>"

    space = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    related = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    packages = "http://schemas.openxmlformats.org/package/2006"
    kinds = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    lines = "".join(f"<row>{''.join(map(cell, row))}</row>" for row in rows)
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{packages}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kinds}.sheet.main+xml"/>'
        f'<Override PartName="/xl/sheet.xml" ContentType="{kinds}.worksheet+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{packages}/relationships"><Relationship Id="r1" '
        f'Type="{related}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{packages}/relationships"><Relationship Id="r1" '
        f'Type="{related}/worksheet" Target="sheet.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook {space} xmlns:r="{related}"><sheets>'
        '<sheet name="data" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/sheet.xml": f"<worksheet {space}><sheetData>{lines}</sheetData></worksheet>",
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return path
