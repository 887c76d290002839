"""What stands in a folder of TensorBoard, without the times."""

from search.reporting.event_files import event_files, events_in


def content(folder):
    """Run to what was written to it, however often: tag, step, and the bytes of metadata and value, sorted."""
    found = {}
    for path in sorted({path.parent for path in folder.rglob("*tfevents*")}):
        lines = found.setdefault(path.relative_to(folder).as_posix(), [])
        for file in event_files(path):
            for event in events_in(file):
                # A graph has no tag.
                lines += [("graph", event.step, b"")] * event.HasField("graph_def")
                for value in event.summary.value:
                    metadata = value.metadata.SerializeToString(deterministic=True)
                    lines.append((value.tag, event.step, metadata + value.tensor.SerializeToString(deterministic=True)))
        lines.sort()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "tfevents" not in path.name:
            found[path.relative_to(folder).as_posix()] = path.read_bytes()
    return found
