"""What is inside an image, for programs (CycloneDX) and for people (the texts of the licences)."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, XsUri
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component as Entry
from cyclonedx.model.component import ComponentType
from cyclonedx.output.json import JsonV1Dot6

from modthread._release.inside import Component

RULE = "=" * 80


def bill(image: Path, version: str, sha256: str, components: Sequence[Component], when: int) -> str:
    """Return the software bill of materials of `image` as JSON; `when`: seconds since 1970.

    The same image has the same bill.
    """
    firmware = Entry(
        name=image.name,
        type=ComponentType.FIRMWARE,
        version=version,
        bom_ref=image.name,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=sha256)],
    )
    metadata = BomMetaData(component=firmware, timestamp=datetime.fromtimestamp(when, UTC))
    entries = [_entry(component) for component in components]
    bom = Bom(components=entries, metadata=metadata, serial_number=uuid5(NAMESPACE_URL, sha256))
    bom.register_dependency(firmware, entries)
    return JsonV1Dot6(bom).output_as_string(indent=2) + "\n"


def _entry(component: Component) -> Entry:
    tree = component.tree
    references = []
    if tree and tree.url:
        url = XsUri(f"{tree.url}#{tree.commit}" if tree.commit else tree.url)
        comment = f"{tree.name} {tree.version}"
        references = [ExternalReference(type=ExternalReferenceType.VCS, url=url, comment=comment)]
    return Entry(
        name=component.name,
        version=tree.version if tree else None,
        bom_ref=component.name,
        licenses=[LicenseFactory().make_from_string(component.licence)],
        external_references=references,
    )


def licences(components: Sequence[Component]) -> str:
    """Return the licences of all that is in an image, as a text."""
    parts = []
    for component in components:
        tree = component.tree
        of = f", from {tree.name} {tree.version} {tree.commit}".rstrip() if tree else ""
        texts = "\n\n".join(component.licence_texts())
        parts.append(
            f"{RULE}\n{component.name}: {component.licence}{of}\n{RULE}\n\n{texts}".rstrip()
        )
    return "\n\n".join(parts) + "\n"
