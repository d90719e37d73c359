"""The initramfs of one run: the cached image of dom0, and behind it an archive with what this run adds.

Linux unpacks archives that stand one after the other into the same root, so nothing of the images is packed anew.
"""
import shutil
import subprocess


def pack(root, archive):
    """Appends the files below `root` to `archive`, as owned by root."""
    names = "\0".join(sorted(str(path.relative_to(root)) for path in root.rglob("*"))) + "\0"
    with open(archive, "ab") as output:
        subprocess.run(["cpio", "--quiet", "-0", "-o", "-H", "newc", "-R", "0:0"], cwd=root, stdout=output,
                       input=names.encode(), check=True)


def write_settings(path, settings):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{name}='{value}'\n" for name, value in settings.items()), encoding="utf-8")


def guest_initramfs(images, payload, settings, scratch, output):
    root = scratch / "guest"
    if payload:
        shutil.copytree(payload, root / "payload", symlinks=True)
    write_settings(root / "payload" / "settings", settings)
    output.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(images / "guest.cpio", output)
    pack(root, output)


def build(images, payload, settings, folder):
    """Writes folder/initramfs, for dom0; in it are the guests' initramfs and the settings. Returns its path."""
    scratch = folder / "scratch"
    shutil.rmtree(scratch, ignore_errors=True)
    root = scratch / "dom0"
    guest_initramfs(images, payload, settings, scratch, root / "guest" / "initrd")
    write_settings(root / "settings", settings)
    initramfs = folder / "initramfs"
    shutil.copy(images / "dom0.cpio", initramfs)
    pack(root, initramfs)
    shutil.rmtree(scratch)
    return initramfs
