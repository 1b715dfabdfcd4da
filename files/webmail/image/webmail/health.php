<?php
// Role lighttpd asks it, on this machine only: does PHP work, and is roundcube's database one?
$database = new PDO('sqlite:/var/lib/roundcube/db/roundcube.db');
$database->setAttribute(PDO::ATTR_ERRMODE, PDO::ERRMODE_EXCEPTION);
$database->query('SELECT count(*) FROM users')->fetchAll();
echo "ok\n";
