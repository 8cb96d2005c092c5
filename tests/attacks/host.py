"""Programs that touch the host: its files, its network, its other processes.

Texts in braces are filled in by the runner with what it set up: a folder with a file that holds `{content}`,
servers that listen, a process that may be killed. The runner also looks at these itself afterwards.
"""

from __future__ import annotations

from tests.attacks.cases import Case, wins_if

_READ, _WRITE, _NET, _FACT = (
    "a file of the host is read",
    "something is written to the host",
    "the network or a socket of the host is reached",
    "a fact of the host is learnt",
)

ATTACKS = [
    Case("read /etc/passwd", wins_if("return len(open('/etc/passwd').read()) > 0"), _READ),
    Case("read /etc/shadow by its descriptor of /", wins_if("d = os.open('/', 0)\nreturn os.open('etc/shadow', 0, dir_fd=d) > 0"), _READ),
    Case("read a file that stands where everyone may", wins_if("return open('{folder}/canary').read() == '{content}'"), _READ),
    Case("read it by climbing", wins_if("return open('../' * 40 + '{folder}/canary').read() == '{content}'"), _READ),
    Case("read it after chdir and fchdir", wins_if("os.chdir('/')\nos.fchdir(os.open('..', 0))\nreturn os.path.exists('{folder}/canary')"), _READ),
    Case("list the root's homes", wins_if("return any(n not in os.__file__ for p in ('/root', '/home') if os.path.isdir(p) for n in os.listdir(p))"), _READ),
    Case("list /etc, /var, /tmp", wins_if("return any(os.path.isdir(p) for p in ('/etc', '/var', '/tmp', '/sys', '/run', '/boot', '/mnt'))"), _READ),
    Case("read /proc/self/maps", wins_if("return len(open('/proc/self/maps').read()) > 0"), _FACT),
    Case("read /proc/1/environ", wins_if("open('/proc/1/environ').read()\nreturn True"), _READ),
    Case("read its own memory by file", wins_if("open('/proc/self/mem', 'rb')\nreturn True"), _READ),
    Case("list all processes", wins_if("return len([n for n in os.listdir('/proc') if n.isdigit()]) > 0"), _FACT),
    Case("read /sys", wins_if("return bool(os.listdir('/sys'))"), _FACT),
    Case("read the repository", wins_if("import codeself\nreturn len(open(codeself.__file__).read()) > 0"), _READ),
    Case("read site-packages", wins_if("import glob\nreturn bool(glob.glob(os.path.dirname(os.__file__) + '/site-packages/*') + glob.glob('/usr/lib/python3/dist-packages/*'))"), _READ),
    Case("import a third-party package", wins_if("import pydantic\nreturn True"), _READ),
    Case("read a disk", wins_if("import glob\nreturn any(os.path.exists('/dev/' + n) for n in ('sda', 'vda', 'mem', 'kmsg', 'fuse', 'kvm', 'tty', 'ptmx', 'shm', 'mqueue', 'net'))"), _READ),
    Case("mknod of a disk", wins_if("import stat\nos.mknod('/tmp/disk', 0o600 | stat.S_IFBLK, os.makedev(254, 0))\nreturn True"), _READ),
    Case("a symbolic link to outside", wins_if("os.symlink('{folder}', 'link')\nreturn True"), _WRITE),
    Case("a hard link", wins_if("os.link(os.__file__, '/link.py')\nreturn True"), _WRITE),
    Case("write to the folder", wins_if("open('{folder}/mark', 'w').write('x')\nreturn True"), _WRITE),
    Case("write to /tmp and /dev/shm", wins_if("for p in ('/tmp/m', '/dev/shm/m', '/var/tmp/m', './m', '/m', '/dev/m'):\n    try: return open(p, 'w').write('x') > 0\n    except OSError: pass"), _WRITE),
    Case("write beside the library", wins_if("open(os.path.dirname(os.__file__) + '/mark.py', 'w')\nreturn True"), _WRITE),
    Case("append to a module of the library", wins_if("open(os.__file__, 'a')\nreturn True"), _WRITE),
    Case("truncate a module of the library", wins_if("os.truncate(os.__file__, 0)\nreturn True"), _WRITE),
    Case("chmod and chown a module", wins_if("try: os.chmod(os.__file__, 0o777)\nexcept OSError: os.chown(os.__file__, 65534, 65534)\nreturn True"), _WRITE),
    Case("remove and rename a module", wins_if("try: os.rename(os.__file__, os.__file__ + 'x')\nexcept OSError: os.unlink(os.__file__)\nreturn True"), _WRITE),
    Case("set the times of a module", wins_if("os.utime(os.__file__, (0, 0))\nreturn True"), _WRITE),
    Case("an extended attribute", wins_if("os.setxattr(os.__file__, 'user.mark', b'x')\nreturn True"), _WRITE),
    Case("a mapped library written through", wins_if("import mmap\nfd = os.open(os.__file__, os.O_RDWR)\nmmap.mmap(fd, 4096)[0] = 0\nreturn True"), _WRITE),
    Case("bytecode left beside a module", wins_if("import py_compile\npy_compile.compile(os.__file__)\nreturn True"), _WRITE),
    Case("a folder made", wins_if("os.makedirs('/tmp/mark/deep')\nreturn True"), _WRITE),
    Case("a lock on a file that others read", wins_if("import fcntl\nfcntl.flock(os.open(os.__file__, 0), fcntl.LOCK_EX | fcntl.LOCK_NB)\nreturn True"), _WRITE),
    Case("a lease on a file that others read", wins_if("import fcntl\nfcntl.fcntl(os.open(os.__file__, 0), fcntl.F_SETLEASE, fcntl.F_RDLCK)\nreturn True"), _WRITE),
    Case("the standard output of the judge", wins_if("return any(os.fstat(n).st_rdev != os.stat('/dev/null').st_rdev for n in (0, 1, 2))"), _WRITE),
    Case("a TCP connection to the host", wins_if("import socket\nsocket.create_connection(('127.0.0.1', {port}), 0.3)\nreturn True"), _NET),
    Case("a TCP connection by IPv6", wins_if("import socket\ns = socket.socket(socket.AF_INET6)\ns.connect(('::1', {port}))\nreturn True"), _NET),
    Case("a UDP packet", wins_if("import socket\nreturn socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', {port})) > 0"), _NET),
    Case("a name looked up", wins_if("import socket\nreturn bool(socket.getaddrinfo('localhost', 80))"), _NET),
    Case("a server of its own", wins_if("import socket\nsocket.create_server(('127.0.0.1', 0))\nreturn True"), _NET),
    Case("a unix socket by its path", wins_if("import socket\nsocket.socket(socket.AF_UNIX).connect('{folder}/socket')\nreturn True"), _NET),
    Case("an abstract unix socket", wins_if("import socket\nsocket.socket(socket.AF_UNIX).connect('\\0{abstract}')\nreturn True"), _NET),
    Case("a pair of sockets connected elsewhere", wins_if("import socket\na, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)\nb.close()\na.connect('\\0{abstract}-datagrams')\nreturn a.send(b'x') > 0"), _NET),
    Case("a datagram to an abstract socket, by sendto", wins_if("import socket\na, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)\nreturn a.sendto(b'x', '\\0{abstract}-datagrams') > 0"), _NET),
    Case("raw, packet, netlink and vsock sockets", wins_if("import socket\nfor family, kind in ((2, 3), (17, 3), (16, 3), (40, 1), (38, 5)):\n    try: return bool(socket.socket(family, kind))\n    except OSError: pass"), _NET),
    Case("descriptors sent to the judge", wins_if("import socket, array\ns = socket.socket(fileno=os.dup(3))\ns.sendmsg([b''], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [0]))])\nreturn False"), _NET),
    Case("kill a process of the host", wins_if("os.kill({victim}, 9)\nreturn True"), "a process of the host is hit"),
    Case("trace a process of the host", wins_if("return libc.ptrace(16, {victim}, 0, 0) == 0"), "a process of the host is hit"),
    Case("read the memory of a process of the host", wins_if("return os.path.exists('/proc/{victim}/mem')"), "a process of the host is hit"),
    Case("the host's name", wins_if("return os.uname().nodename == '{hostname}' and bool('{hostname}')"), _FACT),
    Case("the user's name and home", wins_if("import pwd\nreturn bool(pwd.getpwuid(os.getuid())) or os.path.isdir(os.path.expanduser('~'))"), _FACT),
    Case("the variables of the host", wins_if("return any(k in os.environ for k in ('HOME', 'PATH', 'USER', 'SHELL', 'PYTHONPATH', 'CODESELF_MARK'))"), _FACT),
    Case("the command line of the zygote", wins_if("return any('/' in a for a in sys.argv + getattr(sys, 'orig_argv', []))"), _FACT),
    Case("the folder of the repository, by the paths of modules", wins_if("return any('{repository}' in str(p) for m in list(sys.modules.values()) for p in [getattr(m, '__file__', '')] + sys.path + [sys.executable, sys.prefix, sys.exec_prefix])"), _FACT),
]
