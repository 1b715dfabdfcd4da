<?php
// Role webmail asks it, on this machine only: does PHP work, can it read what roundcube is told, and is its database one?
require '/etc/roundcube/config.inc.php';
if (strlen($config['des_key'] ?? '') !== 24) {
    throw new Exception('des_key');
}
$database = new PDO('sqlite:/var/lib/roundcube/db/roundcube.db');
$database->setAttribute(PDO::ATTR_ERRMODE, PDO::ERRMODE_EXCEPTION);
$database->query('SELECT count(*) FROM users')->fetchAll();
echo "ok\n";
