resource "openstack_identity_project_v3" "doi_tac" {
  name = "doi-tac"
}

resource "openstack_objectstorage_container_v1" "ho_so" {
  name           = "ho-so-cong-dan"
  container_read = "${openstack_identity_project_v3.doi_tac.id}:*"

  metadata = {
    data_class = "important"
  }
}

resource "aws_s3_bucket" "ho_so" {
  bucket = "ho-so-cong-dan"
  acl    = terraform_data.quyet_dinh.output.acl

  server_side_encryption_configuration {
    rule {
      apply_server_side_encryption_by_default {
        sse_algorithm = terraform_data.quyet_dinh.output.sse
      }
    }
  }

  tags = {
    system_id  = "cong-dich-vu"
    data_class = "important"
  }
}

resource "aws_s3_bucket" "sao_luu" {
  bucket = "sao-luu"
  acl    = "private"

  tags = {
    role = "backup"
  }
}

resource "aws_s3_bucket_policy" "sao_luu" {
  bucket = aws_s3_bucket.sao_luu.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "moi-nguoi"
      Effect    = "Allow"
      Principal = { AWS = openstack_identity_project_v3.doi_tac.id }
      Action    = "s3:GetObject"
      Resource  = "arn:aws:s3:::sao-luu/*"
    }]
  })
}
